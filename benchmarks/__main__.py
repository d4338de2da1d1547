"""``python -m benchmarks``: every comparison, one after the other."""

from benchmarks import clicks, decisions, start


def main() -> None:
    """Run them all with their usual sizes."""
    for title, run in (("decisions", decisions.main), ("clicks", clicks.main), ("start", start.main)):
        print(f"\n== {title}")
        run()


if __name__ == "__main__":
    main()
