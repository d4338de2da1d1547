"""``python -m benchmarks``: every comparison, one after the other."""

from benchmarks import budget, clicks, decisions, policy, start, stops, waiting


def main() -> None:
    """Run them all with their usual sizes."""
    every = {
        "decisions": decisions.main,
        "clicks": clicks.main,
        "budget": budget.main,
        "policy": policy.main,
        "start": start.main,
        "stops": stops.main,
        "waiting": waiting.main,
    }
    for title, run in every.items():
        print(f"\n== {title}")
        run()


if __name__ == "__main__":
    main()
