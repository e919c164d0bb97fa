"""One self-contained page about a comparison or a run: scores, and what lies behind them."""
