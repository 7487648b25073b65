#!/usr/bin/env python3
"""Checks of the generators: `python3 corpus_test.py`. Python's standard library only, a few seconds."""
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

import make_corpus
import score
import train_tokenizer

HERE = pathlib.Path(__file__).resolve().parent


class Corpus(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.chat, cls.stories, cls.tests = make_corpus.make_all(seed=7, per_fact=40)

    def test_same_seed_same_text_whatever_the_hash_seed(self):
        texts = set()
        for hash_seed in ("1", "2"):
            with tempfile.TemporaryDirectory() as folder:
                subprocess.run([sys.executable, str(HERE / "make_corpus.py"), "--out", folder, "--per-fact", "10"], check=True,
                               env={"PYTHONHASHSEED": hash_seed, "PYTHONUTF8": "1"}, stdout=subprocess.DEVNULL)
                texts.add((pathlib.Path(folder) / "chat.jsonl").read_bytes())
        self.assertEqual(len(texts), 1)

    def test_held_out_questions_are_not_in_the_training_text(self):
        held_out = {make_corpus.same_words(test["question"]) for test in self.tests}
        asked = {make_corpus.same_words(m["content"]) for row in self.chat for m in row["messages"] if m["role"] == "user"}
        self.assertEqual(held_out & asked, set())
        self.assertGreater(len(held_out), 200)

    def test_conversations_alternate_and_end_with_an_answer(self):
        for row in self.chat:
            roles = [m["role"] for m in row["messages"] if m["role"] != "system"]
            self.assertEqual(roles, ["user", "assistant"] * (len(roles) // 2))
            self.assertTrue(all(m["content"] == m["content"].strip() and m["content"] for m in row["messages"]))

    def test_right_answers_score_as_right_and_a_wrong_one_does_not(self):
        facts = make_corpus.read_facts(HERE / "facts" / "en.txt", "en") + make_corpus.read_facts(HERE / "facts" / "zh.txt", "zh")
        for fact in facts:
            self.assertTrue(score.is_right(fact.answer, fact.keys), fact.name)
            self.assertFalse(score.is_right(make_corpus.DONT_KNOW, fact.keys), fact.name)
            others = [other.name for other in facts if other.name != fact.name and other.lang == fact.lang and score.is_right(other.answer, fact.keys)]
            self.assertLessEqual(len(others), 1, f"{fact.name}: too easy, also satisfied by {others}")

    def test_committed_questions_are_those_of_the_facts(self):
        committed = [json.loads(line) for line in (HERE / "eval_questions.jsonl").read_text(encoding="utf-8").splitlines()]
        self.assertEqual(committed, self.tests, "run make_corpus.py --out corpus --eval eval_questions.jsonl")


class TokenizerTrainer(unittest.TestCase):
    def test_every_token_is_made_by_its_merge(self):
        document = json.loads((HERE / "tokenizer.json").read_text(encoding="utf-8"))
        vocab, merges = document["model"]["vocab"], document["model"]["merges"]
        self.assertEqual(sorted(vocab.values()), list(range(len(vocab))))
        known = set(train_tokenizer.byte_letters().values())
        for merge in merges:
            left, right = merge.split(" ")
            self.assertTrue(left in known and right in known and left + right in vocab, merge)
            known.add(left + right)
        self.assertEqual(len(vocab), json.loads((HERE / "config.json").read_text())["vocab_size"])

    def test_the_most_frequent_pair_comes_first(self):
        merges, _ = train_tokenizer.train({"abab": 3, "bc": 4}, 2)
        self.assertEqual(merges[0], ("a", "b"))
        self.assertEqual(merges[1], ("b", "c"))


if __name__ == "__main__":
    unittest.main()
