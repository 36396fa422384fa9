"""Writes src/data/testing/reference-tokens.json: what the reference library gives for kinds of tokenizers.

    pip install tokenizers==0.23.2
    python scripts/tokenizer-cases.py src/data/testing/reference-tokens.json

The tests compare the JavaScript library with it: what is rewritten for that library has to give these ids, and what is
reported as different has to differ.
"""

import json
import re
import sys

import tokenizers
from tokenizers import AddedToken, Regex, Tokenizer, models
from tokenizers import normalizers as N
from tokenizers import pre_tokenizers as P
from tokenizers import processors as Q

TEXTS = [
    "Hello world, a café!!! ... ok",
    "ΣΟΦΟΣ Straße",
    "🦊 and 🐶🐶",
    "12٣४ ½ 345",
    "首都 𠀀𠀁",
    "a b  c-d--e",
    "e-mail and xe-mailx",
    "nb\u0085x\ufeffy",
    "日 本",
]
ALPHABET = sorted(set("".join(TEXTS)) | set("".join(TEXTS).lower()) | {"▁"} - set("日本"))
ALPHABET = [c for c in ALPHABET if c not in "日本"]
WORDS = sorted({w for text in TEXTS for w in re.findall(r"\w+|[^\w\s]+|\S+", text)} - {"日", "本"})


def numbered(pieces):
    return {piece: i for i, piece in enumerate(dict.fromkeys(pieces))}


SINGLE = [c for x in ALPHABET for c in (x, "##" + x)]
UNIGRAM = [["<unk>", 0.0]] + [[f"<0x{i:02X}>", -20.0] for i in range(256)] + [[c, -5.0] for c in ALPHABET]
UNIGRAM += [["▁" + w, -6.0] for w in WORDS[::3]] + [["d▁x", -1.0], ["▁a▁b", -1.0]]
MODELS = {
    "WordPiece": {
        "type": "WordPiece",
        "unk_token": "[UNK]",
        "continuing_subword_prefix": "##",
        "max_input_chars_per_word": 100,
        "vocab": numbered(["[UNK]", *SINGLE, *WORDS[::2]]),
    },
    "WordLevel": {"type": "WordLevel", "unk_token": "[UNK]", "vocab": numbered(["[UNK]", *WORDS, "</s>"])},
    "Unigram": {"type": "Unigram", "unk_id": 0, "byte_fallback": False, "vocab": UNIGRAM},
    "BPE": {
        "type": "BPE",
        "unk_token": "[UNK]",
        "fuse_unk": False,
        "byte_fallback": False,
        "vocab": numbered(["[UNK]", *SINGLE]),
        "merges": [],
    },
}

SPACES = P.WhitespaceSplit()
PLAIN_BERT = N.BertNormalizer(lowercase=False, handle_chinese_chars=False)


def split(pattern, behavior, invert=False):
    return P.Sequence([SPACES, P.Split(pattern, behavior, invert)])


# name, model, parts, what of the model is other, whether the library is expected to differ
CASES = [
    ("BertPreTokenizer", "WordPiece", dict(normalizer=PLAIN_BERT, pre_tokenizer=P.BertPreTokenizer()), {}, False),
    ("Whitespace", "WordLevel", dict(pre_tokenizer=P.Whitespace()), {}, False),
    ("WhitespaceSplit", "WordLevel", dict(pre_tokenizer=SPACES), {}, False),
    ("Punctuation isolated", "WordPiece", dict(pre_tokenizer=P.Sequence([SPACES, P.Punctuation("isolated")])), {}, False),
    ("Punctuation removed", "WordPiece", dict(pre_tokenizer=P.Sequence([SPACES, P.Punctuation("removed")])), {}, False),
    ("Punctuation contiguous", "WordPiece", dict(pre_tokenizer=P.Sequence([SPACES, P.Punctuation("contiguous")])), {}, False),
    ("Punctuation merged", "WordPiece", dict(pre_tokenizer=P.Sequence([SPACES, P.Punctuation("merged_with_next")])), {}, True),
    ("Digits", "WordPiece", dict(pre_tokenizer=P.Sequence([SPACES, P.Digits()])), {}, False),
    ("Digits alone", "WordPiece", dict(pre_tokenizer=P.Sequence([SPACES, P.Digits(individual_digits=True)])), {}, False),
    ("Split removed at a text", "WordPiece", dict(pre_tokenizer=P.Split(" ", "removed")), {}, False),
    ("Split removed at a dot", "WordPiece", dict(pre_tokenizer=P.Split(".", "removed")), {}, False),
    ("Split isolated", "WordPiece", dict(pre_tokenizer=split("-", "isolated")), {}, False),
    ("Split removed, inverted", "WordPiece", dict(pre_tokenizer=split(Regex("[a-z]+"), "removed", True)), {}, False),
    ("Split after a lookbehind", "WordPiece", dict(pre_tokenizer=split(Regex("(?<=-)"), "isolated")), {}, False),
    ("Split merged", "WordPiece", dict(pre_tokenizer=split("-", "merged_with_previous")), {}, True),
    ("Split contiguous", "WordPiece", dict(pre_tokenizer=split("-", "contiguous")), {}, True),
    ("Split isolated, inverted", "WordPiece", dict(pre_tokenizer=split("-", "isolated", True)), {}, True),
    ("Split removed, with a group", "WordPiece", dict(pre_tokenizer=split(Regex("(-)+"), "removed")), {}, True),
    ("FixedLength", "WordPiece", dict(pre_tokenizer=P.FixedLength(3)), {}, True),
    ("Metaspace", "Unigram", dict(pre_tokenizer=P.Metaspace()), {}, False),
    ("Metaspace first", "Unigram", dict(pre_tokenizer=P.Metaspace(prepend_scheme="first")), {}, False),
    ("Metaspace never", "Unigram", dict(pre_tokenizer=P.Metaspace(prepend_scheme="never")), {}, False),
    ("Metaspace unsplit", "Unigram", dict(pre_tokenizer=P.Metaspace(split=False)), {}, False),
    ("Metaspace over words", "WordPiece", dict(pre_tokenizer=P.Metaspace()), {}, False),
    ("Unigram with byte_fallback", "Unigram", dict(pre_tokenizer=P.Metaspace()), {"byte_fallback": True}, True),
    ("Unigram over words", "Unigram", dict(pre_tokenizer=SPACES), {}, True),
    ("BPE with fuse_unk", "BPE", dict(pre_tokenizer=SPACES), {"fuse_unk": True}, True),
    ("BPE with a prefix", "BPE", dict(pre_tokenizer=SPACES), {"continuing_subword_prefix": "##"}, True),
    ("BPE", "BPE", dict(pre_tokenizer=SPACES), {}, False),
    ("BertNormalizer", "WordPiece", dict(normalizer=N.BertNormalizer(), pre_tokenizer=P.BertPreTokenizer()), {}, True),
    ("Lowercase", "WordPiece", dict(normalizer=N.Lowercase(), pre_tokenizer=SPACES), {}, True),
    ("NFKD, StripAccents", "WordPiece", dict(normalizer=N.Sequence([N.NFKD(), N.StripAccents()]), pre_tokenizer=SPACES), {}, False),
    ("Replace with a dollar", "WordPiece", dict(normalizer=N.Replace("a", "$&$&"), pre_tokenizer=SPACES), {}, True),
    ("single_word", "WordPiece", dict(pre_tokenizer=SPACES, added=AddedToken("e-mail", single_word=True)), {}, True),
    ("an added token", "WordPiece", dict(pre_tokenizer=SPACES, added=AddedToken("e-mail")), {}, False),
    ("ids of a template", "WordLevel", dict(pre_tokenizer=SPACES, post_processor=Q.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 3)])), {}, True),
]


def case(name, model, parts, other, differs):
    empty = Tokenizer(models.WordLevel({"x": 0}, unk_token="x"))
    for part, value in parts.items():
        if part != "added":
            setattr(empty, part, value)
    written = json.loads(empty.to_str())
    written["model"] = {**MODELS[model], **other}
    tokenizer = Tokenizer.from_str(json.dumps(written))
    if "added" in parts:
        tokenizer.add_tokens([parts["added"]])
    whole = json.loads(tokenizer.to_str())
    kept = {key: whole[key] for key in ("normalizer", "pre_tokenizer", "post_processor", "added_tokens")}
    ids = [tokenizer.encode(text).ids for text in TEXTS]
    return dict(name=name, parts=kept, model=model, other=other, differs=differs, ids=ids)


content = dict(
    tokenizers=tokenizers.__version__, texts=TEXTS, models=MODELS, cases=[case(*entry) for entry in CASES]
)
with open(sys.argv[1], "w") as file:
    json.dump(content, file, ensure_ascii=True, separators=(",", ":"))
    file.write("\n")
