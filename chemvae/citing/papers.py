"""The papers that chemvae's methods come from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Paper:
    """One source.

    Examples
    --------
    >>> print(PAPERS["kingma2014"])
    Kingma & Welling: Auto-Encoding Variational Bayes. ICLR 2014. https://arxiv.org/abs/1312.6114
    """

    authors: str
    title: str
    where: str
    year: int
    url: str

    def __str__(self) -> str:
        return f"{self.authors}: {self.title}. {self.where} {self.year}. {self.url}"

    def bibtex(self, key: str) -> str:
        """An entry for a bibliography.

        Examples
        --------
        >>> print(PAPERS["kingma2014"].bibtex("kingma2014").splitlines()[1])
          author = {Kingma and Welling},
        """
        authors = self.authors.replace(" et al.", " and others").replace(" & ", " and ").replace(", ", " and ")
        fields = {"author": authors, "title": self.title, "note": self.where, "year": str(self.year), "url": self.url}
        lines = [f"  {name} = {{{value}}}," for name, value in fields.items()]
        return "\n".join([f"@misc{{{key},", *lines, "}"])


def _arxiv(number: str) -> str:
    return f"https://arxiv.org/abs/{number}"


def _doi(name: str) -> str:
    return f"https://doi.org/{name}"


PAPERS: dict[str, Paper] = {
    "gomez2018": Paper(
        "Gómez-Bombarelli et al.", "Automatic Chemical Design Using a Data-Driven Continuous Representation of Molecules",
        "ACS Central Science", 2018, _doi("10.1021/acscentsci.7b00572"),
    ),
    "kingma2014": Paper("Kingma & Welling", "Auto-Encoding Variational Bayes", "ICLR", 2014, _arxiv("1312.6114")),
    "kingma2019": Paper(
        "Kingma & Welling", "An Introduction to Variational Autoencoders", "Foundations and Trends in Machine Learning", 2019,
        _arxiv("1906.02691"),
    ),
    "kingma2016": Paper(
        "Kingma et al.", "Improving Variational Inference with Inverse Autoregressive Flow", "NeurIPS", 2016,
        _arxiv("1606.04934"),
    ),
    "figurnov2018": Paper(
        "Figurnov, Mohamed & Mnih", "Implicit Reparameterization Gradients", "NeurIPS", 2018, _arxiv("1805.08498")
    ),
    "graves2016": Paper(
        "Graves", "Stochastic Backpropagation through Mixture Density Distributions", "preprint", 2016, _arxiv("1607.05690")
    ),
    "davidson2018": Paper(
        "Davidson et al.", "Hyperspherical Variational Auto-Encoders", "UAI", 2018, _arxiv("1804.00891")
    ),
    "tomczak2018": Paper("Tomczak & Welling", "VAE with a VampPrior", "AISTATS", 2018, _arxiv("1705.07120")),
    "durkan2019": Paper("Durkan et al.", "Neural Spline Flows", "NeurIPS", 2019, _arxiv("1906.04032")),
    "ho2020": Paper("Ho, Jain & Abbeel", "Denoising Diffusion Probabilistic Models", "NeurIPS", 2020, _arxiv("2006.11239")),
    "burda2016": Paper(
        "Burda, Grosse & Salakhutdinov", "Importance Weighted Autoencoders", "ICLR", 2016, _arxiv("1509.00519")
    ),
    "tucker2019": Paper(
        "Tucker et al.", "Doubly Reparameterized Gradient Estimators for Monte Carlo Objectives", "ICLR", 2019,
        _arxiv("1810.04152"),
    ),
    "zhao2019": Paper(
        "Zhao, Song & Ermon", "InfoVAE: Balancing Learning and Inference in Variational Autoencoders", "AAAI", 2019,
        _arxiv("1706.02262"),
    ),
    "tolstikhin2018": Paper("Tolstikhin et al.", "Wasserstein Auto-Encoders", "ICLR", 2018, _arxiv("1711.01558")),
    "gretton2012": Paper(
        "Gretton et al.", "A Kernel Two-Sample Test", "JMLR", 2012, "https://jmlr.org/papers/v13/gretton12a.html"
    ),
    "makhzani2016": Paper("Makhzani et al.", "Adversarial Autoencoders", "preprint", 2016, _arxiv("1511.05644")),
    "hinton1995": Paper(
        "Hinton et al.", "The Wake-Sleep Algorithm for Unsupervised Neural Networks", "Science", 1995,
        _doi("10.1126/science.7761831"),
    ),
    "lakshminarayanan2017": Paper(
        "Lakshminarayanan et al.", "Simple and Scalable Predictive Uncertainty Estimation using Deep Ensembles", "NeurIPS",
        2017, _arxiv("1612.01474"),
    ),
    "hinton2006": Paper(
        "Hinton & Salakhutdinov", "Reducing the Dimensionality of Data with Neural Networks", "Science", 2006,
        _doi("10.1126/science.1127647"),
    ),
    "vincent2008": Paper(
        "Vincent et al.", "Extracting and Composing Robust Features with Denoising Autoencoders", "ICML", 2008,
        _doi("10.1145/1390156.1390294"),
    ),
    "dumoulin2017": Paper("Dumoulin et al.", "Adversarially Learned Inference", "ICLR", 2017, _arxiv("1606.00704")),
    "donahue2017": Paper(
        "Donahue, Krähenbühl & Darrell", "Adversarial Feature Learning", "ICLR", 2017, _arxiv("1605.09782")
    ),
    "lamb2016": Paper("Lamb et al.", "Professor Forcing", "NeurIPS", 2016, _arxiv("1610.09038")),
    "kim2018": Paper("Kim et al.", "Semi-Amortized Variational Autoencoders", "ICML", 2018, _arxiv("1802.02550")),
    "cremer2018": Paper(
        "Cremer, Li & Duvenaud", "Inference Suboptimality in Variational Autoencoders", "ICML", 2018, _arxiv("1801.03558")
    ),
    "hewitt2018": Paper(
        "Hewitt et al.", "The Variational Homoencoder", "UAI", 2018, _arxiv("1807.08919")
    ),
    "edwards2017": Paper("Edwards & Storkey", "Towards a Neural Statistician", "ICLR", 2017, _arxiv("1606.02185")),
    "liu2016": Paper("Liu & Wang", "Stein Variational Gradient Descent", "NeurIPS", 2016, _arxiv("1608.04471")),
    "pu2017": Paper("Pu et al.", "VAE Learning via Stein Variational Gradient Descent", "NeurIPS", 2017, _arxiv("1704.05155")),
    "uria2013": Paper(
        "Uria, Murray & Larochelle", "RNADE: The real-valued neural autoregressive density-estimator", "NeurIPS", 2013,
        _arxiv("1306.0186"),
    ),
    "germain2015": Paper(
        "Germain et al.", "MADE: Masked Autoencoder for Distribution Estimation", "ICML", 2015, _arxiv("1502.03509")
    ),
    "anthony2017": Paper(
        "Anthony, Tian & Barber", "Thinking Fast and Slow with Deep Learning and Tree Search", "NeurIPS", 2017,
        _arxiv("1705.08439"),
    ),
    "jin2018": Paper(
        "Jin, Barzilay & Jaakkola", "Junction Tree Variational Autoencoder for Molecular Graph Generation", "ICML", 2018,
        _arxiv("1802.04364"),
    ),
    "polykovskiy2020": Paper(
        "Polykovskiy et al.", "Molecular Sets (MOSES)", "Frontiers in Pharmacology", 2020, _arxiv("1811.12823")
    ),
    "preuer2018": Paper(
        "Preuer et al.", "Fréchet ChemNet Distance", "Journal of Chemical Information and Modeling", 2018, _arxiv("1803.09518")
    ),
    "neal2001": Paper(
        "Neal", "Annealed Importance Sampling", "Statistics and Computing", 2001, _arxiv("physics/9803008")
    ),
    "wu2017": Paper(
        "Wu et al.", "On the Quantitative Analysis of Decoder-Based Generative Models", "ICLR", 2017, _arxiv("1611.04273")
    ),
    "tripp2020": Paper(
        "Tripp, Daxberger & Hernández-Lobato",
        "Sample-Efficient Optimization in the Latent Space of Deep Generative Models via Weighted Retraining", "NeurIPS", 2020,
        _arxiv("2006.09191"),
    ),
    "tripp2023": Paper(
        "Tripp & Hernández-Lobato", "Genetic algorithms are strong baselines for molecule generation", "preprint", 2023,
        _arxiv("2310.09267"),
    ),
    "jensen2019": Paper(
        "Jensen", "A graph-based genetic algorithm and generative model/Monte Carlo tree search", "Chemical Science", 2019,
        _doi("10.1039/C8SC05372C"),
    ),
    "eriksson2019": Paper(
        "Eriksson et al.", "Scalable Global Optimization via Local Bayesian Optimization", "NeurIPS", 2019,
        _arxiv("1910.01739"),
    ),
    "maus2022": Paper(
        "Maus et al.", "Local Latent Space Bayesian Optimization over Structured Inputs", "NeurIPS", 2022,
        _arxiv("2201.11872"),
    ),
    "balandat2020": Paper(
        "Balandat et al.", "BoTorch: A Framework for Efficient Monte-Carlo Bayesian Optimization", "NeurIPS", 2020,
        _arxiv("1910.06403"),
    ),
    "ralaivola2005": Paper(
        "Ralaivola et al.", "Graph kernels for chemical informatics", "Neural Networks", 2005,
        _doi("10.1016/j.neunet.2005.07.009"),
    ),
    "knowles2006": Paper(
        "Knowles", "ParEGO", "IEEE Transactions on Evolutionary Computation", 2006, _doi("10.1109/TEVC.2005.851274")
    ),
    "daulton2021": Paper(
        "Daulton, Balandat & Bakshy",
        "Parallel Bayesian Optimization of Multiple Noisy Objectives with Expected Hypervolume Improvement", "NeurIPS", 2021,
        _arxiv("2105.08195"),
    ),
    "notin2021": Paper(
        "Notin, Hernández-Lobato & Gal", "Improving black-box optimization in VAE latent space using decoder uncertainty",
        "NeurIPS", 2021, _arxiv("2107.00096"),
    ),
    "wildman1999": Paper(
        "Wildman & Crippen", "Prediction of Physicochemical Parameters by Atomic Contributions",
        "Journal of Chemical Information and Computer Sciences", 1999, _doi("10.1021/ci990307l"),
    ),
    "bickerton2012": Paper(
        "Bickerton et al.", "Quantifying the chemical beauty of drugs", "Nature Chemistry", 2012, _doi("10.1038/nchem.1243")
    ),
    "ertl2009": Paper(
        "Ertl & Schuffenhauer", "Estimation of synthetic accessibility score of drug-like molecules",
        "Journal of Cheminformatics", 2009, _doi("10.1186/1758-2946-1-8"),
    ),
    "ertl2000": Paper(
        "Ertl, Rohde & Selzer", "Fast Calculation of Molecular Polar Surface Area", "Journal of Medicinal Chemistry", 2000,
        _doi("10.1021/jm000942e"),
    ),
    "rogers2010": Paper(
        "Rogers & Hahn", "Extended-Connectivity Fingerprints", "Journal of Chemical Information and Modeling", 2010,
        _doi("10.1021/ci100050t"),
    ),
    "maaten2008": Paper(
        "van der Maaten & Hinton", "Visualizing Data using t-SNE", "JMLR", 2008,
        "https://jmlr.org/papers/v9/vandermaaten08a.html",
    ),
    "mcinnes2018": Paper("McInnes, Healy & Melville", "UMAP", "preprint", 2018, _arxiv("1802.03426")),
    "wang2021": Paper(
        "Wang et al.", "Understanding How Dimension Reduction Tools Work (PaCMAP)", "JMLR", 2021, _arxiv("2012.04456")
    ),
    "irwin2012": Paper(
        "Irwin et al.", "ZINC: A Free Tool to Discover Chemistry for Biology", "Journal of Chemical Information and Modeling",
        2012, _doi("10.1021/ci3001277"),
    ),
    "joung2020": Paper(
        "Joung, Han, Jeong & Park", "Experimental database of optical properties of organic compounds", "Scientific Data", 2020,
        _doi("10.1038/s41597-020-00634-8"),
    ),
    "greenman2022": Paper(
        "Greenman, Green & Gomez-Bombarelli", "Multi-fidelity prediction of molecular optical peaks with deep learning",
        "Chemical Science", 2022, _doi("10.1039/D1SC05677H"),
    ),
    "nigam2022": Paper("Nigam et al.", "Tartarus", "preprint", 2022, _arxiv("2209.12487")),
    "hachmann2011": Paper(
        "Hachmann et al.", "The Harvard Clean Energy Project", "Journal of Physical Chemistry Letters", 2011,
        _doi("10.1021/jz200866s"),
    ),
    "lee2018": Paper(
        "Lee, Lee, Lee & Shin", "A Simple Unified Framework for Detecting Out-of-Distribution Samples and Adversarial Attacks",
        "NeurIPS", 2018, _arxiv("1807.03888"),
    ),
    "friedman2001": Paper(
        "Friedman", "Greedy Function Approximation: A Gradient Boosting Machine", "Annals of Statistics", 2001,
        _doi("10.1214/aos/1013203451"),
    ),
}  # fmt: skip
"""Key -> source; a key is the first author and the year."""

USES: dict[str, tuple[str, ...]] = {
    "posterior gaussian": (),
    "posterior full": ("kingma2019",),
    "posterior iaf": ("kingma2016",),
    "posterior mixture": ("figurnov2018", "graves2016"),
    "posterior vmf": ("davidson2018",),
    "posterior deterministic": ("hinton2006",),
    "prior normal": (),
    "prior gaussian": (),
    "prior mixture": (),
    "prior flow": ("durkan2019",),
    "prior vamp": ("tomczak2018",),
    "prior autoregressive": ("uria2013", "germain2015"),
    "objective beta-elbo": ("kingma2016",),
    "objective iwae": ("burda2016", "tucker2019"),
    "objective infovae": ("zhao2019", "gretton2012"),
    "objective wae": ("tolstikhin2018", "gretton2012"),
    "objective aae": ("makhzani2016",),
    "objective ali": ("dumoulin2017", "donahue2017", "lamb2016"),
    "objective semi-amortized": ("kim2018",),
    "objective homoencoder": ("hewitt2018", "edwards2017"),
    "objective stein": ("liu2016", "pu2017"),
    "objective autoencoder": ("hinton2006",),
    "objective denoising": ("vincent2008",),
    "setting noised_codes": ("ho2020",),
    "setting prior_points": ("anthony2017",),
    "setting sleep": ("hinton1995",),
    "predictor heads": ("lakshminarayanan2017",),
    "method auto": ("tripp2020", "tripp2023", "ralaivola2005", "jensen2019"),
    "method bayesian": ("eriksson2019", "maus2022", "balandat2020"),
    "method genetic": ("tripp2023", "ralaivola2005", "jensen2019"),
    "method gradient": ("notin2021",),
    "method pareto": ("knowles2006", "daulton2021", "tripp2023", "balandat2020"),
    "method random": (),
    "projection pca": (),
    "projection tsne": ("maaten2008",),
    "projection umap": ("mcinnes2018",),
    "projection pacmap": ("wang2021",),
    "property logP": ("wildman1999",),
    "property qed": ("bickerton2012",),
    "property SAS": ("ertl2009",),
    "property TPSA": ("ertl2000",),
    "command evaluate": ("jin2018", "polykovskiy2020", "preuer2018", "neal2001", "wu2017"),
    "command optimize": ("tripp2020", "tripp2023", "ralaivola2005", "jensen2019", "balandat2020", "rogers2010"),
    "command encode": ("kim2018", "cremer2018"),
    "command predict": ("rogers2010", "ralaivola2005", "lee2018", "friedman2001"),
    "command map": ("maaten2008", "rogers2010"),
    "model oled": ("joung2020", "greenman2022", "nigam2022", "hachmann2011", "ho2020", "friedman2001"),
    "model drug": ("irwin2012", "wildman1999", "bickerton2012", "ertl2009", "ho2020"),
}
"""What was used, as kind and name -> keys of its papers, beside those of every model (:data:`ALWAYS`)."""

ALWAYS = ("gomez2018", "kingma2014")
