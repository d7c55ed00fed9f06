"""An objective as a stranger would write it: one class, and nothing else but a line in the table."""

import math

from chemvae.objectives import Loss, Objective


class IWAE(Objective):
    """-log mean_k w_k with the importance weights w_k = p(x|z_k) p(z_k) / q(z_k|x) (Burda et al. 2016); total = -iwae."""

    splits = True

    def __init__(self, n_draws: int = 5):
        self.n_draws = n_draws

    def loss(self, terms, step):
        log_w = terms.log_px_z + terms.log_pz - terms.log_qz_x  # [K, B]
        bound = (log_w.logsumexp(dim=0) - math.log(len(log_w))).mean()
        return Loss(-bound, {"iwae": bound.detach()})
