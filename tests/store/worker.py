"""A process that works on a store until it is killed: ``python -m tests.store.worker PATH WHAT COUNT NUMBER``.

It says on stdout what it has committed, one line each.
"""

from __future__ import annotations

import sys
from itertools import count
from pathlib import Path

from anchorecli.store import Store, open_store
from tests.store.values import DPKG, advisory, diff_id, evaluation, facts, feed, put


def main() -> None:
    path, what, amount, number = sys.argv[1:]
    store = open_store(Path(path))
    for turn in count():
        if turn == int(amount):
            return
        print(ACTIONS[what](store, f"{number}-{turn}"), flush=True)


def write_facts(store: Store, name: str) -> str:
    store.put_layer(diff_id(name), "", 0, [facts(name, payload=name.encode() * 500)])
    store.known_facts([diff_id(name)], [DPKG])
    return f"layer {name}"


def write_evaluation(store: Store, name: str) -> str:
    put(store, name, "ab")
    return f"evaluation {store.put_evaluation(evaluation(reference=name, report=name.encode() * 500))}"


def write_feed(store: Store, name: str) -> str:
    process, _, turn = name.partition("-")
    records = [advisory(f"CVE-{n}", f"p{n % 7}", fixed=turn, feed=process) for n in range(int(turn) % 5, 60)]
    store.lookup([("debian:12", "p1")])
    return f"revision {store.sync_feed(feed(f'feed{process}'), records).revision}"


def write_same_feed(store: Store, name: str) -> str:
    return write_feed(store, f"x-{name.partition('-')[2]}")


ACTIONS = {"facts": write_facts, "evaluations": write_evaluation, "feeds": write_feed, "feed": write_same_feed}

if __name__ == "__main__":
    main()
