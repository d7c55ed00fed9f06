"""No molecule is taken into a library twice, however it comes: within a piece, in a later one, in a shard of before."""

import hashlib

import numpy as np

from chemvae.library.keys import KnownKeys, smiles_keys, sorted_keys

TEXTS = ["C" * n + end for n in range(1, 40) for end in "CNO"]


def test_a_key_is_the_hash_of_its_text_on_every_machine():
    keys = smiles_keys(["CCO", "c1ccccc1"])
    digest = hashlib.blake2b(b"c1ccccc1", digest_size=16).digest()
    assert [int(word) for word in keys[:, 1]] == [int.from_bytes(digest[:8], "little"), int.from_bytes(digest[8:], "little")]


def test_sorted_keys_are_the_same_keys_in_order_of_their_first_word():
    keys = sorted_keys(TEXTS)
    assert (np.diff(keys[0].astype(object)) >= 0).all()
    assert set(map(tuple, keys.T.tolist())) == set(map(tuple, smiles_keys(TEXTS).T.tolist()))


def test_what_stands_in_any_shard_is_known_and_nothing_else_is():
    known = KnownKeys([sorted_keys(TEXTS[:50]), sorted_keys(TEXTS[50:80])])
    assert known.add(TEXTS).tolist() == [False] * 80 + [True] * (len(TEXTS) - 80)
    assert not known.add(TEXTS).any()


def test_a_text_with_the_first_word_of_another_is_still_new():
    keys = sorted_keys(["CCO"])
    keys[1] += np.uint64(1)
    assert KnownKeys([keys]).add(["CCO"]).tolist() == [True]


def test_what_was_waiting_is_still_known_once_it_stands_in_a_shard():
    known = KnownKeys()
    assert known.add(["CCO", "CCN", "CCO"]).tolist() == [True, True, False]
    known.settle(sorted_keys(["CCO"]), ["CCO"])
    assert known.add(["CCO", "CCN", "CCC"]).tolist() == [False, False, True]
