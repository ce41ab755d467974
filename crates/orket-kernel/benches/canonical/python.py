"""Measures json + hashlib on demand: one request on a line, one answer on a line."""
import hashlib
import json
import sys
import time


def digest(document):
    text = json.dumps(json.loads(document), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


document = b""
while request := sys.stdin.buffer.readline().split():
    if request[0] == b"take":
        document = sys.stdin.buffer.read(int(request[1]))
        answer = digest(document)
    else:
        end = time.perf_counter_ns() + int(request[1])
        answer = None
        while answer is None or time.perf_counter_ns() < end:
            start = time.perf_counter_ns()
            digest(document)
            taken = time.perf_counter_ns() - start
            answer = taken if answer is None else min(answer, taken)
    print(answer, flush=True)
