"""A small corpus with planted items, hostile ones among them."""

HOSTILE = '<script>alert("x")</script> </style> \x1b[31m red \u202egnihton\u202c \' " & {{ 7*7 }} [bold]'

DOCUMENTS = [
    {"text": "the quick brown fox jumps over the lazy dog and runs away", "id": "fox", "topic": "animals"},
    {"text": f"before {HOSTILE} behind it there is more", "id": "<b>hostile</b>", "note": HOSTILE},
    {"text": "a bag of words that nobody asks for at any time of day", "id": "bag"},
    {"text": "", "id": "empty"},
]
ITEMS = [
    {"id": "copied", "question": "What does it do? the quick brown fox jumps over the lazy dog", "answer": "it jumps"},
    {"id": HOSTILE, "question": f"before {HOSTILE} behind it there is more", "answer": "<img src=x onerror=alert(1)>"},
    {"id": "clean", "question": "How many roads must a man walk down before you call him one", "answer": "42"},
    {"id": "short", "question": "Why", "answer": "so"},
]
