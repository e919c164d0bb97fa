"""The paper, in its own order: Hierarchical GRU with Input-Conditioned Slot Queries (arXiv 2606.14730).

| file | section of docs/paper.md | |
|---|---|---|
| ``config`` | 1.2 to 1.4 | every size and weight, marked as stated, lost or ours |
| ``encoder`` | 1.2 a-d | windows of features -> tokens |
| ``memory`` | 1.2 e-j | tokens -> summaries -> a GRU's outputs |
| ``slots`` | 1.3 a-h | Eq. (1) queries, decoder layers, Eqs. (2)-(4) heads |
| ``anticipator`` | 1.2, 1.3, 1.4 k | all of it, joined |
| ``targets`` | 1.4 i | what happened; Eq. (6) soft bins |
| ``matcher`` | 1.4 a-e | Eq. (5) assignment |
| ``losses`` | 1.4 f-l, z | matched slots, unmatched slots, observation head |
| ``sampling`` | 1.4 b, m-p | class weights, rare-class sampler, feature MixUp |
| ``schedule`` | 1.4 q-y | AdamW, warm-up, cosine restarts |
| ``inference`` | 1.3 i-m | slots above tau -> anticipations; NumPy alone |

``examples/paper_loop.py`` trains it in 80 lines. Letters in comments, as (1.2 g), are rows of docs/paper.md. What we
add to the paper, and what ablations take away, is put in from outside (``playahead.variants``).
"""
