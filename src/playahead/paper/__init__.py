"""The paper, in its own order: Hierarchical GRU with Input-Conditioned Slot Queries (arXiv 2606.14730).

An example observes 30 s, six windows of 5 s with 33 snippets each, and anticipates the next 5 s. A *sequence* is a run
of W >= 6 windows, each encoded once. Every six consecutive windows are an example, so a sequence holds W - 5 of them.

| file | statements of docs/paper.md | |
|---|---|---|
| ``config`` | 1.2 to 1.4 | sizes and weights, each marked as stated, lost or ours; skim it first, come back later |
| ``encoder`` | 1.2 a to d | windows of features -> tokens |
| ``memory`` | 1.2 e to j | tokens -> summaries -> a GRU's outputs |
| ``slots`` | 1.3 a to h | Eq. (1) queries, decoder layers, Eqs. (2) to (4) heads |
| ``anticipator`` | 1.2, 1.3, 1.4 k | the pieces above, put together |
| ``targets`` | 1.4 i, j | the events as the losses see them; Eq. (6) soft bins |
| ``matcher`` | 1.4 a to e | Eq. (5) assignment |
| ``losses`` | 1.4 f to l, z | matched slots, unmatched slots, observation head |
| ``sampling`` | 1.4 b, m to p | class weights, rare-class sampler, feature MixUp |
| ``schedule`` | 1.4 q, r, u, y | AdamW, warm-up, cosine restarts |
| ``inference`` | 1.3 i to m | slots above tau -> anticipations; NumPy alone |

``examples/paper_loop.py`` trains it in 80 lines. Letters in parentheses, as in (1.2 g), are rows of docs/paper.md. Our
additions to the paper, and ablations of it, are made from outside, in ``playahead.variants``.
"""
