"""Simulate token requests of 10,000 processes to one token service over a day, for three kinds of client.

    python benchmarks/token_refresh.py [--plot docs/guides/token-refresh.png] [--json]

The simulation uses a virtual clock and no sockets. All processes start within a second and always need a valid token. The
service handles `--limit` requests per second and responds to the rest with 429 and `Retry-After: 1`; a token is valid for an
hour. Three kinds of client:

naive               eight callers per process, each fetches its own token a minute before expiry; waits 1 s after a 429
lock and recheck    one fetch per process, at three quarters of the lifetime; waits 1 s after a 429
aiocos              this library's rules and constants

The first two are deterministic and simulated per second. For aiocos every process is simulated.
"""

import argparse
import heapq
import json
import random
from collections import Counter, deque
from dataclasses import dataclass, field
from pathlib import Path

from aiocos.auth.token_fetcher import FetchPolicy
from aiocos.auth.tokens import FAILURE_TTL, REFRESH_RETRY_DELAY, Token

LIFE = 3600
DAY = 24 * 3600
LATENCY = 0.15


@dataclass
class Outcome:
    """The requests that the service received from one kind of client."""

    name: str
    asked: Counter[int] = field(default_factory=Counter)  # requests by second
    granted: int = 0
    without: float = 0.0  # seconds that processes were without a token
    failed: int = 0  # fetches given up: their callers were told so

    def figures(self) -> dict[str, float | int | str]:
        total = sum(self.asked.values())
        later = [count for second, count in self.asked.items() if second >= 120]
        return {
            "client": self.name,
            "requests": total,
            "turned away": f"{100 * (total - self.granted) / total:.1f} %",
            "most in a second": max(self.asked.values()),
            "after two minutes": max(later, default=0),
            "seconds without a token, a process": round(self.without, 1),
            "fetches given up": self.failed,
        }


def counted(name: str, processes: int, callers: int, limit: int, renew_after: int) -> Outcome:
    """Simulate clients with fixed delays: only the number of requests per second matters. First come, first served."""
    outcome, grace = Outcome(name), LIFE - renew_after
    due: Counter[int] = Counter({0: processes * callers})
    queue: deque[list[int]] = deque()  # since when a group asks, and how many it still has
    for second in range(DAY):
        if coming := due.pop(second, 0):
            queue.append([second, coming])
        waiting = sum(count for _, count in queue)
        if not waiting:
            continue
        outcome.asked[second] = waiting
        left = served = min(waiting, limit)
        while left:
            since, count = queue[0]
            taken = min(left, count)
            # The old token is still valid for a while; at the start there is none.
            alone = second - since - (grace if since else 0)
            outcome.without += max(0, alone) * taken / callers / processes
            left -= taken
            queue[0][1] -= taken
            if taken == count:
                queue.popleft()
        outcome.granted += served
        due[second + renew_after] += served
    return outcome


def followed(processes: int, limit: int, chance: random.Random) -> Outcome:
    """Simulate aiocos clients one by one: one fetch at a time, random delays, refresh at a random age of the token."""
    outcome, effort = Outcome("aiocos"), FetchPolicy()
    # Time; process (breaks ties); attempts of the fetch, and its deadline; expiry of the token (0: none).
    events: list[tuple[float, int, int, float, float]] = [(chance.random(), n, 0, 0.0, 0.0) for n in range(processes)]
    without_since = {n: event[0] for n, event in enumerate(events)}
    heapq.heapify(events)
    while events:
        # `by`: the deadline of this fetch; 0 before its first attempt.
        now, process, attempts, by, ends = heapq.heappop(events)
        if now >= DAY:
            continue
        second = int(now)
        outcome.asked[second] += 1
        by = by or now + effort.deadline
        if ends and now >= ends:
            without_since.setdefault(process, ends)
        if outcome.asked[second] <= limit:
            outcome.granted += 1
            token = Token.issued("x", LIFE, now=now, jitter=chance.random())
            if process in without_since:
                outcome.without += (now + LATENCY - without_since.pop(process)) / processes
            heapq.heappush(events, (token.refresh_at, process, 0, 0.0, token.expires_at))
            continue
        again = now + LATENCY + 1 + chance.random() * min(effort.cap, effort.base * 2**attempts)
        if again < by:
            heapq.heappush(events, (again, process, attempts + 1, by, ends))
        else:
            # The fetch failed: retry soon without a token, later while the old token is valid.
            outcome.failed += 1
            rest = FAILURE_TTL if not ends or now >= ends else min(REFRESH_RETRY_DELAY, ends - now)
            heapq.heappush(events, (now + LATENCY + rest, process, 0, 0.0, ends))
    return outcome


def run(processes: int, limit: int, seed: int) -> list[Outcome]:
    """Simulate all three kinds of client."""
    return [
        counted("naive", processes, 8, limit, LIFE - 60),
        counted("lock and recheck", processes, 1, limit, LIFE * 3 // 4),
        followed(processes, limit, random.Random(seed)),
    ]


def plot(outcomes: list[Outcome], limit: int, target: Path) -> None:
    """Plot requests per second: the first minutes, and the whole day."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, 2, figsize=(11, 4.2), sharey=True, gridspec_kw={"width_ratios": (1, 2)})
    colours = {"naive": "#da1e28", "lock and recheck": "#f1a100", "aiocos": "#0f62fe"}
    for axis, (first, last, unit, title) in zip(
        axes, ((0, 600, 60, "the first ten minutes"), (0, DAY, 3600, "the day")), strict=True
    ):
        bin_size = 1 if last <= 600 else 60
        for outcome in outcomes:
            most: Counter[int] = Counter()
            for second, count in outcome.asked.items():
                if first <= second < last:
                    most[second // bin_size] = max(most[second // bin_size], count)
            times = sorted(most)
            axis.scatter(
                [t * bin_size / unit for t in times],
                [most[t] for t in times],
                s=5,
                color=colours[outcome.name],
                label=outcome.name,
                linewidths=0,
            )
        axis.axhline(limit, color="#525252", linewidth=1, linestyle="--")
        axis.set_yscale("log")
        axis.set_title(title, fontsize=11)
        axis.set_xlabel("minutes" if unit == 60 else "hours")
        axis.grid(alpha=0.25)
    axes[0].set_ylabel("requests a second (the most in a minute, right)")
    axes[1].text(DAY / 3600, limit * 1.1, "what the service answers", ha="right", fontsize=9, color="#525252")
    axes[1].legend(loc="upper right", markerscale=4, fontsize=9)
    figure.tight_layout()
    figure.savefig(target, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description="Refreshes of tokens, simulated for a day.")
    parser.add_argument("--processes", type=int, default=10_000)
    parser.add_argument("--limit", type=int, default=200, help="requests a second that the service answers")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    outcomes = run(given.processes, given.limit, given.seed)
    rows = [outcome.figures() for outcome in outcomes]
    if given.json:
        print(json.dumps(rows, indent=1))
    else:
        names = list(rows[0])
        print("| " + " | ".join(names) + " |\n|" + "---|" * len(names))
        for row in rows:
            print("| " + " | ".join(f"{row[n]:,}" if isinstance(row[n], int) else str(row[n]) for n in names) + " |")
    if given.plot:
        plot(outcomes, given.limit, given.plot)


if __name__ == "__main__":
    main()
