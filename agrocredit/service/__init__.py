"""The lending service over HTTP: a module a noun, every route declared in one table, every refusal a problem+json.

The only part of the program that knows HTTP. It computes no pixels: it reads estimates that flows made, decides through
`agrocredit.credit`, and moves money through `agrocredit.store.sql`; `gate` says what a request passes on its way in.
"""
