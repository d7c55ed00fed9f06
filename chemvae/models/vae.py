"""MolVAE: encoder, posterior, decoder and property predictor as one model, with its use from SMILES to SMILES."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, cast

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from chemvae.chem.molecules import parse, quiet
from chemvae.data.files.reading import CHUNK_ROWS
from chemvae.data.given import GivenMolecules, read_codes, read_molecules
from chemvae.data.tokens.datasets import Batch, TokenArray
from chemvae.data.tokens.vocabulary import MASK, PAD, Vocabulary
from chemvae.errors import InvalidMoleculeError, SettingsError, UnknownTokenError
from chemvae.models.decoder import Decoder
from chemvae.models.decoding import check_temperature, finished
from chemvae.models.encoder import Encoder
from chemvae.models.gru.layer import bf16_is_fast
from chemvae.models.latent_space import FlatSpace, find_prior
from chemvae.models.latent_statistics import LatentStatistics
from chemvae.models.posteriors import POSTERIORS, Posterior, PosteriorFamily
from chemvae.models.predictor import PropertyPredictor
from chemvae.models.priors import PRIORS, FamilyPrior, Prior
from chemvae.models.settings import ModelSettings
from chemvae.models.terms import Terms
from chemvae.models.training_facts import TrainingFacts, smiles_hash
from chemvae.naming import Stem, extra_stem, name_columns, prediction_stems
from chemvae.registry import build
from chemvae.seeding import as_count, as_seed, draw_seed, seeded

logger = logging.getLogger(__name__)

DECODE_BATCH = 8192
LENGTH_MARGIN = 1.5  # decoding may write this many times the longest training molecule before it is called unfinished


class MolVAE(nn.Module):
    """Variational autoencoder over SMILES with a joint property predictor (Gomez-Bombarelli et al. 2018).

    Parameters
    ----------
    vocabulary : Vocabulary
    settings : ModelSettings
    property_names : sequence of str
        What the predictor predicts, P names.
    property_units : dict or None
        Name to unit; "1" where not given.

    Notes
    -----
    Shapes: B molecules, T tokens, V vocabulary, D latent dimensions, K draws, P properties.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        settings: ModelSettings | None = None,
        property_names: Sequence[str] = (),
        property_units: dict[str, str] | None = None,
    ):
        super().__init__()
        self.settings = settings = settings or ModelSettings()
        self.vocabulary = vocabulary
        self.property_names = list(property_names)
        self.property_units = {name: (property_units or {}).get(name, "1") for name in self.property_names}
        n_tokens = len(vocabulary)
        self.encoder = Encoder(n_tokens, settings.embedding_dim, settings.encoder_dim)
        self.posterior_family: PosteriorFamily = build(
            POSTERIORS, settings.posterior, "posterior", hidden_dim=self.encoder.output_dim, latent_dim=settings.latent_dim
        )
        self.decoder = Decoder(n_tokens, settings.embedding_dim, settings.latent_dim, settings.decoder_dim)
        sizes = settings.latent_dim, settings.predictor_dim, len(self.property_names), settings.predictor_heads
        self.predictor = PropertyPredictor(*sizes)
        family = self.posterior_family
        self.priors = nn.ModuleDict(
            {"normal": FamilyPrior(family), "learned": PRIORS[settings.fitted_prior].fitted_for(family)}
        )
        if settings.prior != "normal":
            self.priors["trained"] = PRIORS[settings.prior].trained_for(family, self.encoder.output_dim)
        self.latent_statistics = LatentStatistics(settings.latent_dim)
        self.training_facts = TrainingFacts()
        self.word_dropout = 0.0

    def take_learned_prior(self, kind: str) -> None:
        """Let the learned prior be of another kind, a name in PRIORS, not fitted to anything yet.

        Raises
        ------
        SettingsError
            If it is no density where the posterior's codes lie, or cannot be fitted to codes.
        """
        self.settings = replace(self.settings, fitted_prior=kind)
        self.priors["learned"] = PRIORS[kind].fitted_for(self.posterior_family).to(self.device)

    def take_predictor_heads(self, n_heads: int, seed: int = 0) -> None:
        """Let so many heads predict the properties: those there are as they are, further ones not fitted to anything yet.

        Raises
        ------
        SettingsError
            If there are to be none, or more than a hundred.
        """
        self.settings = replace(self.settings, predictor_heads=n_heads)
        with seeded(seed):
            self.predictor.take_heads(n_heads, self.settings.predictor_dim)

    # ------------------------------------------------------------------ tensors in, tensors out

    @property
    def latent_dim(self) -> int:
        return self.settings.latent_dim

    @property
    def device(self) -> torch.device:
        return self.decoder.output.weight.device

    @property
    def product_dtype(self) -> torch.dtype:
        """Type of the large matrix products: bf16 or the parameters' own."""
        own = self.decoder.output.weight.dtype
        precision = self.settings.precision
        if precision == "auto" and own == torch.float32:
            fast = torch.cuda.is_bf16_supported() if self.device.type == "cuda" else bf16_is_fast()
            precision = "bf16" if fast else "fp32"
        return torch.bfloat16 if precision == "bf16" else own

    def forward(self, batch: Batch, n_draws: int = 1, generator: torch.Generator | None = None) -> Terms:
        """Return the :class:`Terms` of one batch; all randomness comes from ``generator`` (None: torch's global stream)."""
        posterior = self.posterior_of(batch)
        z, log_qz_x = posterior.draw(n_draws, generator)  # [K, B, D], [K, B]
        return self.terms_at(z, log_qz_x, posterior, batch, generator)

    def terms_at(
        self, z: Tensor, log_qz_x: Tensor, posterior: Posterior, batch: Batch, generator: torch.Generator | None = None
    ) -> Terms:
        """The :class:`Terms` of one batch at z [K, B, D] with their log q(z|x) [K, B]."""
        log_px_z = torch.stack([self.log_px_z(one, batch, generator) for one in z])
        log_pz = self.log_pz(z)
        log_py_z = self.predictor.log_prob(z, batch.labels) if self.property_names else torch.zeros_like(log_pz)
        kl, kl_dims = (None, None) if "trained" in self.priors else (posterior.kl, posterior.kl_dims)
        return Terms(log_px_z, log_pz, log_qz_x, kl, kl_dims, log_py_z, z)

    def log_pz(self, z: Tensor) -> Tensor:
        """Log density [...] in nats of z [..., D] under the prior that the model is trained with; differentiable."""
        if "trained" not in self.priors:
            return self.posterior_family.prior().log_prob(z)
        return self.trained_prior.log_prob(z.flatten(0, -2)).view(z.shape[:-1])

    @property
    def trained_prior(self) -> Prior:
        """The prior that the model is trained with: ``priors["trained"]``, or ``priors["normal"]`` where there is none."""
        return cast(Prior, find_prior(self, "trained"))

    @property
    def latent_space(self) -> FlatSpace:
        """Where codes lie, and how to move there."""
        return self.posterior_family.space

    def posterior_of(self, batch: Batch) -> Posterior:
        """q(z|x) of a batch, on the model's device, with gradients."""
        return self.posterior_family(self.hidden_of(batch))

    def hidden_of(self, batch: Batch) -> Tensor:
        """What the encoder makes of a batch, h [B, H]."""
        if batch.encoder_ids is None:
            return self.encoder(batch.token_ids, batch.lengths, self.product_dtype)
        return self.encoder(batch.encoder_ids, batch.encoder_lengths, self.product_dtype)

    def log_px_z(self, z: Tensor, batch: Batch, generator: torch.Generator | None) -> Tensor:
        """log p(x|z) [B] for z [B, D], teacher-forced; in training mode with word dropout (Bowman et al. 2016)."""
        inputs, targets = batch.decoder_inputs, batch.targets
        if self.training and self.word_dropout > 0:
            device = generator.device if generator is not None else inputs.device
            noise = torch.rand(inputs.shape, generator=generator, device=device).to(inputs.device)
            noise[:, 0] = 1.0  # the start token stays
            inputs = torch.where((noise < self.word_dropout) & (inputs != PAD), MASK, inputs)
        logits = self.decoder(z, inputs, self.product_dtype)  # [B, T + 1, V]
        losses = nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=PAD, reduction="none")
        return -losses.view(targets.shape).sum(dim=1)

    def predict_latent(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Return the properties' mean and standard deviation [N, P] for z [N, D], in the data's unit; differentiable."""
        return self.predictor(z)

    def predict_molecules(self, z: Tensor, smiles: Sequence[str]) -> tuple[Tensor, Tensor]:
        """The same for molecules whose points are z [N, D], by their structure as well where that helps."""
        structure = self.predictor.structure
        return self.predictor(z, structure.answers(smiles) if structure.is_fitted else None)

    # ------------------------------------------------------------------ SMILES in, SMILES out

    def encode_reasons(self, smiles: Any, *, canonicalize: bool = True) -> list[str | None]:
        """Say for each molecule, in any form that :meth:`encode` takes, why it cannot be encoded, or None."""
        return self._reasons(read_molecules(smiles, canonical=canonicalize))

    def _reasons(self, given: GivenMolecules) -> list[str | None]:
        known = {one: self.vocabulary.complaint(one) for one in dict.fromkeys(given.smiles) if one is not None}
        return [known.get(one) if one is not None else reason for one, reason in zip(given.smiles, given.reasons, strict=True)]

    @torch.no_grad()
    def _encode(self, tokens: TokenArray, batch_size: int, read: Callable[[Tensor], Tensor]) -> Tensor:
        """``read`` [B, S] of each batch's h [B, H], as float32 [N, S] on the CPU.

        Molecules are encoded in order of length, answered in their own.
        """
        order = np.argsort(tokens.lengths, kind="stable")
        if len(order) == 0:
            return read(self.decoder.output.weight.new_empty(0, self.encoder.output_dim)).float().cpu()
        parts = []
        for start in range(0, len(order), batch_size):
            token_ids, lengths = (part.to(self.device) for part in tokens.rows(order[start : start + batch_size]))
            parts.append(read(self.encoder(token_ids, lengths, self.product_dtype)).float().cpu())
        found = torch.cat(parts)
        answer = torch.empty_like(found)
        answer[torch.from_numpy(order)] = found
        return answer

    def posterior(self, smiles: Any, batch_size: int = 512, *, canonicalize: bool = True) -> Posterior:
        """Return q(z|x) with batch shape [N] and event shape [D], the family's own distribution, on the CPU.

        It stays what it is when the model is trained on, and ``posterior[rows]`` is that of some of the molecules.
        ``smiles`` and ``canonicalize`` are as in :meth:`encode`.

        Raises
        ------
        InvalidMoleculeError
            At the first that is no molecule.
        UnknownTokenError
            At the first molecule the vocabulary cannot write.
        InputError
            If it is no list of molecules.
        """
        given = read_molecules(smiles, canonical=canonicalize)
        for row, reason in enumerate(given.reasons):
            if reason:
                raise InvalidMoleculeError(f"molecule {row}", reason)
        return self.posterior_from(self._encode(self.tokens(given.known()), batch_size, self.posterior_family.summary))

    def posterior_from(self, summary: Tensor) -> Posterior:
        """q(z|x) of molecules with these summaries [N, S] (:meth:`PosteriorFamily.summary`), on the CPU, without gradients."""
        family = copy.deepcopy(self.posterior_family).cpu().float().requires_grad_(False)
        q = family.from_summary(summary)
        return q if q.select is not None else replace(q, select=lambda rows: family.from_summary(summary[rows]))

    def encode(self, smiles: Any, batch_size: int = 512, *, canonicalize: bool = True) -> np.ndarray:
        """Return the point that stands for each molecule [N, D], float32; a NaN row for what cannot be encoded.

        Of a Gaussian posterior it is the mean. :meth:`encode_reasons` says why a row is NaN.

        Parameters
        ----------
        smiles : str, RDKit molecule, sequence, Series, array or DataFrame of them, N molecules
            See :mod:`chemvae.data.given`.
        batch_size : int
            Molecules that are encoded at once.
        canonicalize : bool
            Read every molecule in RDKit's canonical form, which is what the model was trained on. False reads the text as it is
            written.

        Raises
        ------
        InputError
            If it is no list of molecules.
        """
        given = read_molecules(smiles, canonical=canonicalize)
        if canonicalize:
            _warn_of(given)
        z = np.full((len(given), self.latent_dim), np.nan, dtype=np.float32)
        for block in _blocks(len(given), CHUNK_ROWS if canonicalize else len(given)):
            z[block] = self._encode_rows(given.smiles[block], batch_size)
        return z

    def _encode_rows(self, smiles: list[str | None], batch_size: int = 512) -> np.ndarray:
        """Points [N, D] of molecules as they are written; NaN for None and for what the vocabulary lacks."""
        z = np.full((len(smiles), self.latent_dim), np.nan, dtype=np.float32)
        usable = {i: one for i, one in enumerate(smiles) if one is not None}
        try:
            tokens = self.tokens(list(usable.values()))
        except UnknownTokenError:  # rare: look at each
            usable = {i: one for i, one in usable.items() if self.vocabulary.complaint(one) is None}
            tokens = self.tokens(list(usable.values()))
        if usable:
            z[list(usable)] = self._encode(tokens, batch_size, lambda h: self.posterior_family(h).point).numpy()
        return z

    def tokens(self, smiles: list[str]) -> TokenArray:
        return TokenArray.from_smiles(smiles, self.vocabulary)

    def _as_latents(self, z: Any) -> Tensor:
        """Latent points in any form as a tensor [N, D] on the model's device."""
        found = read_codes(z)
        if found is None:
            if not (hasattr(z, "__len__") and not len(z)):
                raise SettingsError(
                    f"z must be latent points, numbers of shape [N, {self.latent_dim}], got a {type(z).__name__}"
                )
            found = np.zeros((0, self.latent_dim))
        found = torch.as_tensor(found if isinstance(found, Tensor) else np.array(found, np.float32), dtype=torch.float32)
        found = found[None] if found.ndim == 1 else found
        if found.ndim != 2 or found.shape[1] != self.latent_dim:
            raise SettingsError(f"z must have shape [N, {self.latent_dim}], got {list(found.shape)}")
        return found.to(self.device)

    @property
    def max_length(self) -> int:
        """Tokens that decoding may write before a molecule is called unfinished."""
        return int(self.training_facts.max_tokens * LENGTH_MARGIN) + 1

    @torch.no_grad()
    def decode_ids(
        self, z: Tensor, temperature: float = 0.0, generator: torch.Generator | None = None, max_length: int | None = None
    ) -> tuple[Tensor, Tensor]:
        """Decode each row of z [N, D] once: token ids [N, L] and their log probability [N] (nats)."""
        max_length = max_length or self.max_length
        seed = draw_seed(generator) if temperature > 0 else 0
        ids = torch.full((len(z), max_length), PAD, dtype=torch.long)
        log_prob = torch.empty(len(z))
        for start in range(0, len(z), DECODE_BATCH):
            rows = slice(start, start + DECODE_BATCH)
            found, probability = self.decoder.decode(z[rows], max_length, self.product_dtype, temperature, seed, start)
            ids[rows], log_prob[rows] = found.cpu(), probability.float().cpu()
        return ids, log_prob

    def decode(
        self,
        z: Any,
        n_samples: int = 1,
        temperature: float = 0.0,
        seed: int | None = 0,
        max_length: int | None = None,
        check: bool = True,
    ) -> pd.DataFrame:
        """Decode latent points to SMILES.

        Parameters
        ----------
        z : array, Tensor, list or DataFrame of numbers [N, D] or [D]
            NaN rows give an empty, invalid molecule.
        n_samples : int
            Decodes per point.
        temperature : float
            0 is greedy (all decodes of a point are then equal); 1 samples from the model.
        seed : int or None
            None draws one.
        max_length : int or None
            Most tokens to write; None takes 1.5 times the longest training molecule.
        check : bool
            Let RDKit say which are valid; False gives ``finished`` (the end token was written) instead, and is faster.

        Returns
        -------
        DataFrame
            ``row`` (of z), ``sample`` (0 .. n_samples - 1), ``smiles`` (as written), ``valid`` (RDKit parses it, it has an
            atom, and the end token was written), ``log_prob`` (nats).
        """
        z, temperature = self._as_latents(z), check_temperature(temperature)
        n_samples = as_count(n_samples, "n_samples") if n_samples != 0 else 0
        generator = torch.Generator(self.device).manual_seed(as_seed(seed))
        unusable = z.isnan().any(dim=1)
        repeated = torch.where(unusable[:, None], 0.0, z).repeat_interleave(n_samples, dim=0)
        ids, log_prob = self.decode_ids(repeated, temperature, generator, max_length)
        smiles = self.vocabulary.decode_rows(ids.numpy())
        lost = unusable.repeat_interleave(n_samples).cpu().numpy()
        smiles = ["" if gone else text for gone, text in zip(lost, smiles, strict=True)]
        row, sample = np.divmod(np.arange(len(repeated)), n_samples)
        table = {"row": row, "sample": sample, "smiles": smiles}
        done = finished(ids).numpy() & ~lost
        table |= {"valid": done & _parses(smiles)} if check else {"finished": done}
        return pd.DataFrame({**table, "log_prob": np.where(lost, np.nan, log_prob.numpy())})

    @torch.no_grad()
    def log_likelihood(self, z: Any, smiles: Any, batch_size: int = 512, *, canonicalize: bool = True) -> Tensor:
        """Return log p(x|z) [N] in nats, end token included, of molecule i given z[i]; z [N, D].

        NaN for what is no molecule, or cannot be written by the vocabulary. ``smiles`` and ``canonicalize`` are as in
        :meth:`encode`.

        Raises
        ------
        SettingsError
            Unless there is a point for each molecule.
        InputError
            If it is no list of molecules.
        """
        z, given = self._as_latents(z), read_molecules(smiles, canonical=canonicalize)
        if len(z) != len(given):
            raise SettingsError(f"there must be a point for each molecule, got {len(z)} points and {len(given)} molecules")
        if canonicalize:
            _warn_of(given)
        usable = [i for i, reason in enumerate(self._reasons(given)) if reason is None]
        answer = torch.full((len(given),), torch.nan)
        answer[usable] = self._log_likelihood(z[usable], self.tokens(given.known(usable)), batch_size)
        return answer

    def _log_likelihood(self, z: Tensor, tokens: TokenArray, batch_size: int) -> Tensor:
        """log p(x|z) [N] of token sequences."""
        answer = torch.empty(len(tokens))
        with eval_mode(self):
            for start in range(0, len(tokens), batch_size):
                index = np.arange(start, min(start + batch_size, len(tokens)))
                token_ids, lengths = tokens.rows(index)
                batch = Batch(token_ids, lengths, torch.zeros(len(index), 0)).to(self.device)
                answer[index] = self.log_px_z(z[index], batch, None).float().cpu()
        return answer

    @torch.no_grad()
    def predict(self, smiles_or_z: Any, *, canonicalize: bool = True) -> pd.DataFrame:
        """Predict properties of molecules, or at latent points.

        A molecule is predicted from its point and, where that was nearer to the truth, from its structure as well
        (:class:`~chemvae.models.structure.heads.StructureHeads`): its prediction may differ from that at its point.

        Parameters
        ----------
        smiles_or_z : molecules as in :meth:`encode`, or an array, tensor, list or DataFrame of numbers [N, D] or [D]
        canonicalize : bool
            As in :meth:`encode`.

        Returns
        -------
        DataFrame
            For each property its mean and ``<name>_std``, in the data's unit, and ``distance``: how far z lies from the
            training data, 1 being typical (:meth:`LatentStatistics.distance`). NaN rows for what cannot be encoded; if there
            are any, ``reason`` says why (empty for the others). The index of a Series or DataFrame of molecules is kept.

        Raises
        ------
        InputError
            If it is neither.
        SettingsError
            If the points have another length than the model's.
        """
        if read_codes(smiles_or_z) is not None:
            z = self._as_latents(smiles_or_z)
            return self._predictions(z, self.predict_latent(z))
        given = read_molecules(smiles_or_z, canonical=canonicalize)
        reasons = self._reasons(given)
        parts = [self._predict_rows(given.smiles[block]) for block in _blocks(len(given), CHUNK_ROWS)]
        table = pd.concat(parts, ignore_index=True)
        if any(reasons):
            named = name_columns([extra_stem("reason", self.property_names)], table.columns)[0]
            table[named] = [reason or "" for reason in reasons]
        return table if given.index is None else table.set_axis(given.index)

    def _predict_rows(self, smiles: list[str | None]) -> pd.DataFrame:
        """Predictions for molecules as they are written: for what can be encoded, in one go, whatever stands between."""
        z = self._encode_rows(smiles)
        usable = np.flatnonzero(~np.isnan(z).any(axis=1))
        return self.predict_encoded(z[usable], [smiles[i] or "" for i in usable]).set_axis(usable).reindex(range(len(smiles)))

    @torch.no_grad()
    def predict_encoded(self, z: Any, smiles: Sequence[str]) -> pd.DataFrame:
        """As :meth:`predict` for molecules that are encoded already: their points z [N, D], as :meth:`encode` gives them."""
        points = self._as_latents(z)
        return self._predictions(points, self.predict_molecules(points, smiles))

    def _predictions(self, z: Tensor, found: tuple[Tensor, Tensor]) -> pd.DataFrame:
        """Mean and standard deviation [N, P] at z [N, D] as a table."""
        mean, std = (part.double().cpu().numpy() for part in found)
        fitted = self.latent_statistics.is_fitted
        distance = self.latent_statistics.distance(z).cpu().numpy() if fitted else np.full(len(z), np.nan)
        values = [part[:, i] for i in range(len(self.property_names)) for part in (mean, std)]
        table = pd.DataFrame(dict(zip(name_columns(self.prediction_stems()), [*values, distance], strict=True)))
        lost = z.isnan().any(dim=1).cpu().numpy()
        return table.mask(np.broadcast_to(lost[:, None], table.shape))

    def label_ranges(self) -> list[tuple[float, float]]:
        """Least and largest label of each property [P] that was learned from; without bounds where that is not known."""
        return self.predictor.regions.label_ranges()

    def prediction_stems(self) -> list[Stem]:
        """What the columns of :meth:`predict` are, for :func:`chemvae.naming.name_columns`."""
        return prediction_stems(self.property_names)

    def is_known(self, smiles: Sequence[str]) -> np.ndarray | None:
        """Say whether each canonical SMILES was in the training set [N], or None if the run kept no index."""
        hashes = self.training_facts.hashes
        return None if hashes is None else np.isin(smiles_hash(smiles), hashes)


@contextmanager
def eval_mode(model: nn.Module) -> Iterator[None]:
    """Put a model in eval mode for the block, and back.

    Examples
    --------
    >>> layer = nn.Dropout()
    >>> with eval_mode(layer):
    ...     layer.training
    False
    >>> layer.training
    True
    """
    was_training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(was_training)


def _blocks(n: int, size: int) -> list[slice]:
    """Slices of n rows, at least one: those in which commands read a table, so that answers are the same to the last bit."""
    return [slice(start, start + size) for start in range(0, max(n, 1), max(size, 1))]


def _warn_of(given: GivenMolecules) -> None:
    """Say that some rows are no molecules, where only NaN would tell."""
    bad = [row for row, reason in enumerate(given.reasons) if reason]
    if bad:
        what = f"{len(bad):,} of {len(given):,} are no molecules and become NaN" if len(given) > 1 else "this is no molecule"
        logger.warning("%s: %s (number %d, counted from 0).", what, given.reasons[bad[0]], bad[0])


def _parses(smiles: Sequence[str]) -> np.ndarray:
    with quiet():
        valid = {one: parse(one) is not None for one in dict.fromkeys(smiles)}
    return np.array([valid[one] for one in smiles], dtype=bool)


__all__ = ["ModelSettings", "MolVAE", "Terms", "TrainingFacts", "UnknownTokenError", "smiles_hash"]
