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
        script: "perl -MSocket -e 'for ([AF_INET,SOCK_STREAM],[AF_INET,SOCK_DGRAM],[AF_INET6,SOCK_STREAM],[AF_UNIX,SOCK_STREAM],[16,SOCK_RAW],[17,SOCK_RAW]) { print \"PASSED $_->[0]\" if socket(my $s, $_->[0], $_->[1], 0) }'",
        expect: Fails,
        needs: CALLS,
    },
    Case {
        name: "no local service is reached",
        script: "perl -MSocket -e 'my $s; socket($s, AF_UNIX, SOCK_STREAM, 0) and connect($s, pack_sockaddr_un(\"$OUT/socket\")) and print \"PASSED\"'",
        expect: Fails,
        needs: &[Feature::SystemCallFilter],
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
        name: "refused system calls are refused",
        // ptrace, unshare, userfaultfd, perf_event_open, keyctl, bpf, process_vm_readv, io_uring_setup, open_tree,
        // fsopen, pidfd_getfd, clone with NEWUSER, clone3, and ptrace of the x32 interface.
        script: "perl -e 'my %e = (56,1, 435,38); for my $n (101,272,323,298,250,321,310,425,428,430,438,56,435,0x40000000+521) { my @a = $n == 56 ? (0x10000000|17,0,0,0,0) : (0,0,0,0,0); my $r = syscall($n, @a); my $want = $e{$n} || 1; print \"PASSED $n \", $!+0, \"\\n\" unless $r == -1 && ($! == $want || $! == 38) }'",
        expect: Fails,
        needs: CALLS,
    },
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
