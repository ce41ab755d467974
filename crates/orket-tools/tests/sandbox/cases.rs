//! The attacks that are scripts, and the honest scripts that have to work.

use orket_tools::sandbox::{Feature, Status};

/// What a script is expected to come to.
#[derive(Clone, Copy)]
pub(crate) enum Expect {
    /// Exits with 0 and prints this.
    Prints(&'static str),
    /// Does not print `PASSED`, whatever else it does.
    Fails,
    /// Ends like this.
    Ends(Status),
}
use Expect::{Ends, Fails, Prints};

pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) script: &'static str,
    pub(crate) expect: Expect,
    /// Without one of these features the attack succeeds, and that is known.
    pub(crate) needs: &'static [Feature],
}

const fn case(name: &'static str, script: &'static str, expect: Expect) -> Case {
    Case {
        name,
        script,
        expect,
        needs: &[],
    }
}

const ANY_FILE_RULE: &[Feature] = &[Feature::Landlock];
const CALLS: &[Feature] = &[Feature::SystemCallFilter];

/// `PASSED` is printed by what should not be possible.
pub(crate) const CASES: &[Case] = &[
    case(
        "a check reads, decides and writes in its directory",
        "sh $OUT/fixtures/check.sh && cat verdict.txt",
        Prints("checked\n"),
    ),
    case(
        "tools of the system run",
        "printf 'b\\na\\n' | sort | tr -d '\\n' | sed s/ab/done/",
        Prints("done"),
    ),
    case(
        "files are made, renamed, made executable and removed",
        "mkdir -p d/e && echo 'echo ran' > d/f && mv d/f d/e/f && chmod +x d/e/f && touch d/e/f && sh d/e/f && rm -r d",
        Prints("ran\n"),
    ),
    case(
        "a program that was made is run",
        "printf '#!/bin/sh\\necho ran\\n' > p && chmod +x p && ./p",
        Prints("ran\n"),
    ),
    case(
        "the null device takes output",
        "echo gone > /dev/null && head -c 3 /dev/zero | tr '\\0' z",
        Prints("zzz"),
    ),
    case("an exit code is told", "exit 7", Ends(Status::Exited(7))),
    case(
        "a signal is told",
        "kill -TERM $$",
        Ends(Status::Signaled(15)),
    ),
    case(
        "a crash is told",
        "kill -SEGV $$",
        Ends(Status::Signaled(11)),
    ),
    Case {
        name: "a secret outside is not read",
        script: "cat $OUT/secret && echo PASSED",
        expect: Fails,
        needs: ANY_FILE_RULE,
    },
    Case {
        name: "a secret is not read by a way around",
        script: "cat fixtures/../../secret ../secret $OUT/fixtures/../secret && echo PASSED",
        expect: Fails,
        needs: ANY_FILE_RULE,
    },
    Case {
        name: "a secret is not read through a link",
        script: "ln -s $OUT/secret link; cat link && echo PASSED",
        expect: Fails,
        needs: ANY_FILE_RULE,
    },
    Case {
        name: "a secret is not listed",
        script: "ls $OUT | grep secret && echo PASSED",
        expect: Fails,
        needs: ANY_FILE_RULE,
    },
    Case {
        name: "accounts are not read",
        script: "cat /etc/passwd && echo PASSED; cat /etc/shadow && echo PASSED",
        expect: Fails,
        needs: ANY_FILE_RULE,
    },
    Case {
        name: "homes are not listed",
        script: "ls /root && echo PASSED; ls /home && echo PASSED",
        expect: Fails,
        needs: ANY_FILE_RULE,
    },
    Case {
        name: "environments of others are not read",
        script: "cat /proc/1/environ && echo PASSED; cat /proc/$ENGINE/environ && echo PASSED",
        expect: Fails,
        needs: ANY_FILE_RULE,
    },
    Case {
        name: "memory of others is not read",
        script: "head -c 1 /proc/$PPID/mem && echo PASSED; head -c 1 /dev/mem && echo PASSED",
        expect: Fails,
        needs: ANY_FILE_RULE,
    },
    Case {
        name: "nothing is written outside",
        script: "echo x > $OUT/outside/file && echo PASSED",
        expect: Fails,
        needs: ANY_FILE_RULE,
    },
    Case {
        name: "nothing is written to temporary directories",
        script: "echo x > /tmp/orket-$MARK && echo PASSED; echo x > /dev/shm/orket-$MARK && echo PASSED; echo x > /var/tmp/orket-$MARK && echo PASSED",
        expect: Fails,
        needs: ANY_FILE_RULE,
    },
    Case {
        name: "nothing is written through a link",
        script: "ln -s $OUT/outside d; echo x > d/file && echo PASSED",
        expect: Fails,
        needs: ANY_FILE_RULE,
    },
    Case {
        name: "nothing is overwritten or cut",
        script: "echo x > $OUT/secret && echo PASSED; perl -e 'truncate(\"$OUT/secret\", 0) and print \"PASSED\"'",
        expect: Fails,
        needs: ANY_FILE_RULE,
    },
    Case {
        name: "nothing is moved in or out",
        script: "mv $OUT/secret . && echo PASSED; mv result.txt $OUT/outside/ && echo PASSED",
        expect: Fails,
        needs: ANY_FILE_RULE,
    },
    Case {
        name: "no fixture is planted or changed",
        script: "echo x > $OUT/fixtures/planted && echo PASSED; echo x >> $OUT/fixtures/check.sh && echo PASSED",
        expect: Fails,
        needs: ANY_FILE_RULE,
    },
    Case {
        name: "no mode or time outside is changed",
        script: "chmod 0777 $OUT/secret && echo PASSED; touch -d 2001-01-01 $OUT/secret && echo PASSED",
        expect: Fails,
        needs: &[Feature::OwnUser, Feature::PrivateRoot],
    },
    Case {
        name: "nothing outside is seen to exist",
        script: "test -e $OUT/secret && echo PASSED",
        expect: Fails,
        needs: &[Feature::PrivateRoot],
    },
    Case {
        name: "no hard link is made",
        script: "ln result.txt second && echo PASSED; ln $OUT/secret second && echo PASSED",
        expect: Fails,
        needs: CALLS,
    },
    Case {
        name: "no FIFO or device is made",
        script: "mkfifo f && echo PASSED; mknod n c 1 3 && echo PASSED; mknod b b 8 0 && echo PASSED",
        expect: Fails,
        needs: ANY_FILE_RULE,
    },
    Case {
        name: "no TCP connection is made",
        script: "bash -c 'exec 3<>/dev/tcp/127.0.0.1/$PORT' && echo PASSED",
        expect: Fails,
        needs: CALLS,
    },
    Case {
        name: "no socket of any family is made",
        // Stream, datagram, raw and sequenced packets, of every family there is or may be.
        script: "perl -e 'for my $f (0..60) { for my $t (1, 2, 3, 5) { print \"PASSED $f $t\" if socket(my $s, $f, $t, 0) } }'",
        expect: Fails,
        needs: CALLS,
    },
    Case {
        name: "no local service is reached",
        script: "perl -MSocket -e 'my $s; socket($s, AF_UNIX, SOCK_STREAM, 0) and connect($s, pack_sockaddr_un(\"$OUT/socket\")) and print \"PASSED\"'",
        expect: Fails,
        needs: &[Feature::SystemCallFilter],
    },
    Case {
        name: "no abstract local service is reached",
        script: "perl -MSocket -e 'my $s; socket($s, AF_UNIX, SOCK_STREAM, 0) and connect($s, pack_sockaddr_un(\"\\0orket-$MARK\")) and print \"PASSED\"'",
        expect: Fails,
        needs: CALLS,
    },
    // A pair is made without a name, and its ends take any address.
    Case {
        name: "no datagram of a pair reaches a local service",
        script: "perl -MSocket -e 'for my $t (2, 3) { socketpair(my $a, my $b, AF_UNIX, $t, 0) or next; send($a, \"x\", 0, pack_sockaddr_un(\"$OUT/datagram\")) and print \"PASSED\" }'",
        expect: Fails,
        needs: CALLS,
    },
    case(
        "a pair of sockets of its own is made",
        "perl -MSocket -e 'socketpair(my $a, my $b, AF_UNIX, SOCK_STREAM, 0) and print \"made\"'",
        Prints("made"),
    ),
    Case {
        name: "no namespace is entered",
        script: "unshare -U true && echo PASSED; unshare -r true && echo PASSED; nsenter -t $PPID -m true && echo PASSED",
        expect: Fails,
        needs: CALLS,
    },
    Case {
        name: "nothing is mounted",
        script: "mount -t tmpfs none . && echo PASSED; umount / && echo PASSED; chroot . true && echo PASSED",
        expect: Fails,
        needs: CALLS,
    },
    #[cfg(target_arch = "x86_64")]
    Case {
        name: "no process is cloned into a namespace",
        script: "perl -e 'for my $f (0x10000000, 0x20000, 0x20000000, 0x40000000, 0x8000000, 0x4000000, 0x2000000) { my $r = syscall(56, $f|17, 0, 0, 0, 0); exit 0 if $r == 0; print \"PASSED $f\" if $r > 0 }'",
        expect: Fails,
        needs: CALLS,
    },
    // The filter sees numbers of the one interface; the other one has others.
    #[cfg(target_arch = "x86_64")]
    Case {
        name: "no program of the 32-bit interface gets through",
        script: "printf '\\177ELF\\1\\1\\1\\0\\0\\0\\0\\0\\0\\0\\0\\0\\2\\0\\3\\0\\1\\0\\0\\0\\124\\200\\4\\10\\64\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\64\\0\\40\\0\\1\\0\\0\\0\\0\\0\\0\\0\\1\\0\\0\\0\\0\\0\\0\\0\\0\\200\\4\\10\\0\\200\\4\\10\\133\\0\\0\\0\\133\\0\\0\\0\\5\\0\\0\\0\\0\\20\\0\\0\\61\\333\\61\\300\\100\\315\\200' > e && chmod +x e && ./e && echo PASSED",
        expect: Fails,
        needs: CALLS,
    },
    Case {
        name: "nothing is typed into a terminal",
        script: "perl -e 'for my $r (0x5412, 0x541C) { my $c = \"x\"; ioctl(STDIN, $r, $c); print \"PASSED\" unless $! == 1 }'",
        expect: Fails,
        needs: CALLS,
    },
    Case {
        name: "no file gives its owner's rights away",
        script: "cp /bin/sh s; chmod u+s s && echo PASSED; chmod g+s s && echo PASSED; chmod 6755 s && echo PASSED; \
                 perl -MFcntl -e 'umask 0; for my $m (04755, 02755) { print \"PASSED\" if sysopen(my $f, \"t$m\", O_CREAT | O_WRONLY, $m) }'",
        expect: Fails,
        needs: CALLS,
    },
    case(
        "limits are not raised",
        "for l in '-n 100000' '-v unlimited' '-t unlimited' '-f unlimited' '-c unlimited' '-l unlimited'; do (ulimit $l) && echo PASSED; done",
        Fails,
    ),
    #[cfg(target_arch = "x86_64")]
    Case {
        name: "limits and priorities of others are not set",
        script: "perl -e 'my $l = pack(\"QQ\", 1, 1); for my $p ($ENGINE, getppid, 1) { print \"PASSED $p\" if syscall(302, $p, 7, $l, 0) == 0; print \"PASSED $p\" if syscall(141, 0, $p, 19) == 0 }'",
        expect: Fails,
        needs: CALLS,
    },
    #[cfg(target_arch = "x86_64")]
    case(
        "no message queue is made and no memory is locked",
        // mq_open, mlock, mlockall.
        "perl -e 'my $n = \"orket\"; print \"PASSED q\" if syscall(240, $n, 66, 0600, 0) >= 0; my $m = \"x\" x 4096; print \"PASSED m\" if syscall(149, $m, 4096) == 0; print \"PASSED a\" if syscall(151, 1) == 0'",
        Fails,
    ),
    case(
        "no file is longer than allowed without being written",
        "truncate -s 1T big && echo PASSED; fallocate -l 1T big && echo PASSED",
        Fails,
    ),
    case(
        "signals to everybody reach nobody else",
        "setsid sleep $MARK & kill -9 -1; exit 0",
        Ends(Status::Exited(0)),
    ),
    case(
        "no right is gained",
        "su -c 'echo PASSED' </dev/null; sudo -n echo PASSED; chown 1:1 result.txt && echo PASSED; chroot / true && echo PASSED",
        Fails,
    ),
    case(
        "no descriptor is inherited",
        "for n in 3 4 5 6 7 8 9; do (eval \"cat <&$n\") && echo PASSED; done; perl -e 'for (3..200) { print \"PASSED $_\" if open(my $f, \"<&=\", $_) }'",
        Fails,
    ),
    case(
        "signals do not reach the engine",
        "kill -9 $ENGINE && echo PASSED; kill -STOP $ENGINE && echo PASSED; kill -9 0; echo PASSED",
        Fails,
    ),
    Case {
        name: "signals do not reach the supervisor",
        script: "kill -9 $PPID && kill -9 $PPID; sleep 0.05; exit 3",
        expect: Ends(Status::Exited(3)),
        needs: &[],
    },
    case(
        "nothing survives a normal end",
        "setsid nohup sleep $MARK & (sleep $MARK & setsid sleep $MARK &) ; exit 0",
        Ends(Status::Exited(0)),
    ),
];

/// System calls that are refused whatever they are given: what for, and their numbers.
#[cfg(target_arch = "x86_64")]
pub(crate) const SYSTEM_CALLS: &[(&str, &[u32])] = &[
    ("no process is traced", &[101, 0x4000_0000 + 521]),
    ("no memory of others is read or written", &[310, 311]),
    ("no descriptor of others is taken", &[438]),
    (
        "no process is compared, moved or measured",
        &[312, 256, 279, 298],
    ),
    ("no ring of system calls is made", &[425, 426, 427]),
    ("no program is given to the kernel", &[321]),
    ("no key is read or made", &[248, 249, 250]),
    ("no fault is handled", &[323]),
    (
        "no mount is made, moved or opened",
        &[165, 166, 428, 429, 430, 431, 432, 433, 442, 467],
    ),
    ("no root is changed", &[155, 161]),
    ("no namespace is left or joined", &[272, 308]),
    ("no file is opened by its number", &[303, 304]),
    ("no second name and no node is made", &[86, 133, 259, 265]),
    (
        "no module and no kernel is loaded",
        &[175, 176, 246, 313, 320],
    ),
    (
        "no swap, account, quota or restart is set",
        &[163, 167, 168, 169, 179, 443],
    ),
    ("no clock is set", &[159, 164, 227, 305]),
    ("no name of the machine is set", &[170, 171]),
    (
        "no log of the kernel is read and nobody is watched",
        &[103, 300],
    ),
    ("no port and no segment is opened", &[154, 172, 173]),
    ("no socket is made, named or connected", &[41, 42, 49, 50]),
    (
        "the calls whose flags cannot be seen are absent",
        &[435, 437],
    ),
];
#[cfg(not(target_arch = "x86_64"))]
pub(crate) const SYSTEM_CALLS: &[(&str, &[u32])] = &[];

/// Makes the calls with nothing but zeros. A filter answers before the kernel looks at them: with "not permitted", or with
/// "not there", which is also what a kernel says that has no such call.
pub(crate) fn calls_script(numbers: &[u32]) -> String {
    let numbers: Vec<String> = numbers.iter().map(u32::to_string).collect();
    let numbers = numbers.join(",");
    format!(
        "perl -e 'for my $n ({numbers}) {{ my $r = syscall($n, 0, 0, 0, 0, 0); print \"PASSED $n \", $!+0, \"\\n\" unless $r == -1 && ($! == 1 || $! == 38) }}'"
    )
}
