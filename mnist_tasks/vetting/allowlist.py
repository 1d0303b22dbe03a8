"""The allow-list: every class, module, function, setting and string that a model file may name.

Anything else is refused. No class here can run code from the model file, read another file,
or contain numbers that the parameter count misses.
"""

from __future__ import annotations

from typing import NamedTuple


def words(text: str) -> frozenset[str]:
    """Return the words of a text."""
    return frozenset(text.split())


class Family(NamedTuple):
    """A kind of Keras object: its classes, and the modules that Keras writes for them."""

    classes: frozenset[str]
    modules: frozenset[str]


LAYERS = words("""
    InputLayer Identity Activation ActivityRegularization Conv1D Conv2D Conv2DTranspose
    SeparableConv1D SeparableConv2D DepthwiseConv1D DepthwiseConv2D Dense Flatten Reshape Permute
    RepeatVector MaxPooling1D MaxPooling2D AveragePooling1D AveragePooling2D AdaptiveMaxPooling2D
    AdaptiveAveragePooling2D GlobalMaxPooling1D GlobalMaxPooling2D GlobalAveragePooling1D
    GlobalAveragePooling2D ZeroPadding1D ZeroPadding2D Cropping1D Cropping2D UpSampling1D
    UpSampling2D CenterCrop Resizing Rescaling BatchNormalization LayerNormalization
    GroupNormalization UnitNormalization RMSNormalization Normalization Dropout SpatialDropout1D
    SpatialDropout2D AlphaDropout GaussianDropout GaussianNoise ReLU LeakyReLU PReLU ELU Softmax Add
    Subtract Multiply Average Maximum Minimum Concatenate Dot RandomBrightness RandomContrast
    RandomCrop RandomErasing RandomFlip RandomGaussianBlur RandomRotation RandomTranslation
    RandomZoom
""")
MODELS = words("Sequential Functional Model")
ACTIVATION_LAYERS = words("Activation ReLU LeakyReLU PReLU ELU Softmax")

ACTIVATIONS = words("""
    celu elu exponential gelu glu hard_shrink hard_sigmoid hard_silu hard_swish hard_tanh leaky_relu
    linear log_sigmoid log_softmax mish relu relu6 selu sigmoid silu soft_shrink softmax softplus
    softsign sparse_plus sparse_sigmoid sparsemax squareplus swish tanh tanh_shrink threshold
""")
_INITIALIZERS = words("""
    Constant GlorotNormal GlorotUniform HeNormal HeUniform LecunNormal LecunUniform Ones Orthogonal
    OrthogonalInitializer RandomNormal RandomUniform TruncatedNormal VarianceScaling Zeros Identity
    IdentityInitializer glorot_normal glorot_uniform he_normal he_uniform lecun_normal lecun_uniform
    ones orthogonal random_normal random_uniform truncated_normal variance_scaling zeros
""")
_REGULARIZERS = words("L1 L2 L1L2 OrthogonalRegularizer l1 l2 l1_l2")
_CONSTRAINTS = words("MaxNorm MinMaxNorm NonNeg UnitNorm max_norm min_max_norm non_neg unit_norm")
_OPTIMIZERS = words("""
    Adadelta Adafactor Adagrad Adam AdamW Adamax Ftrl Lamb Lion LossScaleOptimizer Nadam RMSprop SGD
    Muon
""")
_SCHEDULES = words("""
    CosineDecay CosineDecayRestarts ExponentialDecay InverseTimeDecay PiecewiseConstantDecay
    PolynomialDecay
""")
_LOSSES = words("""
    BinaryCrossentropy BinaryFocalCrossentropy CategoricalCrossentropy CategoricalFocalCrossentropy
    CategoricalHinge CosineSimilarity Hinge Huber KLDivergence LogCosh MeanAbsoluteError
    MeanAbsolutePercentageError MeanSquaredError MeanSquaredLogarithmicError Poisson
    SparseCategoricalCrossentropy SquaredHinge
""")
_METRICS = words("""
    AUC Accuracy BinaryAccuracy BinaryCrossentropy CategoricalAccuracy CategoricalCrossentropy
    CategoricalHinge CosineSimilarity F1Score FBetaScore FalseNegatives FalsePositives Hinge
    KLDivergence LogCoshError Mean MeanAbsoluteError MeanMetricWrapper MeanSquaredError Poisson
    Precision Recall RootMeanSquaredError SparseCategoricalAccuracy SparseCategoricalCrossentropy
    SparseTopKCategoricalAccuracy SquaredHinge TopKCategoricalAccuracy TrueNegatives TruePositives
""")
_LOSS_NAMES = words("""
    binary_crossentropy bce categorical_crossentropy categorical_focal_crossentropy
    categorical_hinge cosine_similarity hinge huber kl_divergence kld log_cosh mae mape mse msle
    mean_absolute_error mean_absolute_percentage_error mean_squared_error
    mean_squared_logarithmic_error poisson sparse_categorical_crossentropy squared_hinge
""")
_METRIC_NAMES = _LOSS_NAMES | words("""
    accuracy acc crossentropy ce auc binary_accuracy categorical_accuracy precision recall
    sparse_categorical_accuracy sparse_top_k_categorical_accuracy top_k_categorical_accuracy AUC
    Precision Recall
""")
FLOATS = words("float16 bfloat16 float32 float64")
_DTYPES = FLOATS | words("mixed_float16 mixed_bfloat16 int32 int64 uint8")
# What a layer's weights may have, and their names: kernel_initializer, bias_constraint ...
_WEIGHT_OBJECTS = ("initializer", "regularizer", "constraint")
_WEIGHTS = words("kernel bias depthwise pointwise alpha beta gamma moving_mean moving_variance")

FAMILIES = {
    "layer": Family(LAYERS, words("keras.layers")),
    "model": Family(MODELS, words("keras keras.models keras.src.models.functional")),
    "activation layer": Family(ACTIVATION_LAYERS, words("keras.layers")),
    "initializer": Family(_INITIALIZERS, words("keras.initializers")),
    "regularizer": Family(_REGULARIZERS, words("keras.regularizers")),
    "constraint": Family(_CONSTRAINTS, words("keras.constraints")),
    "dtype policy": Family(
        words("DTypePolicy FloatDTypePolicy Policy"),
        words("keras keras.dtype_policies keras.mixed_precision"),
    ),
    "seed": Family(words("SeedGenerator"), words("keras.random")),
    "optimizer": Family(_OPTIMIZERS, words("keras.optimizers")),
    "schedule": Family(_SCHEDULES, words("keras.optimizers.schedules")),
    "loss": Family(_LOSSES, words("keras.losses")),
    "metric": Family(_METRICS, words("keras.metrics")),
}

#: Settings that may be an object, and the family of that object.
OBJECTS = {
    "activation": "activation layer",
    "activity_regularizer": "regularizer",
    "dtype": "dtype policy",
    "seed": "seed",
    "learning_rate": "schedule",
    "inner_optimizer": "optimizer",
    "optimizer": "optimizer",
    "optimizer_config": "optimizer",
    "loss": "loss",
    "metrics": "metric",
    "weighted_metrics": "metric",
    **{f"{weight}_{family}": family for weight in _WEIGHTS for family in _WEIGHT_OBJECTS},
}

#: Settings that may be a string, and the allowed strings.
STRINGS = {
    "activation": ACTIVATIONS,
    "fn": _METRIC_NAMES,
    "loss": _LOSS_NAMES,
    "metrics": _METRIC_NAMES,
    "weighted_metrics": _METRIC_NAMES,
    "dtype": _DTYPES,
    "data_format": words("channels_first channels_last"),
    "padding": words("valid same causal"),
    "interpolation": words("nearest bilinear bicubic lanczos3 lanczos5"),
    "fill_mode": words("constant nearest reflect wrap"),
    "mode": words(
        "horizontal vertical horizontal_and_vertical fan_in fan_out fan_avg rows columns"
    ),
    "distribution": words("normal uniform truncated_normal untruncated_normal"),
    "reduction": words("auto none sum sum_over_batch_size mean mean_with_sample_weight"),
    "average": words("micro macro weighted"),
    "curve": words("ROC PR"),
    "summation_method": words("interpolation majoring minoring"),
    "jit_compile": words("auto"),
    **{
        f"{weight}_{family}": FAMILIES[family].classes
        for weight in _WEIGHTS
        for family in _WEIGHT_OBJECTS
    },
}

#: Settings that may be a list, and its largest length: too short to hide weights in.
LISTS = {
    **dict.fromkeys(words("kernel_size strides dilation_rate pool_size size output_size"), 3),
    **dict.fromkeys(words("output_padding target_shape dims axes axis shared_axes"), 6),
    **dict.fromkeys(words("noise_shape input_axes output_axes"), 6),
    **dict.fromkeys(words("padding cropping"), 4),
    **dict.fromkeys(words("factor scale sigma value_range height_factor width_factor"), 2),
    **dict.fromkeys(words("renorm_clipping seed"), 2),
    **dict.fromkeys(words("batch_shape batch_input_shape build_input_shape input_shape"), 6),
    **dict.fromkeys(words("boundaries values thresholds"), 200),
    **dict.fromkeys(words("exclude_layers mean variance"), 1),
}

#: All settings: each may be a number, a boolean or null.
SETTINGS = (
    words("""
    trainable autocast sparse ragged optional filters units groups use_bias depth_multiplier rate
    stddev alpha negative_slope threshold max_value min_value center epsilon momentum synchronized
    renorm renorm_momentum rms_scaling virtual_batch_size fused keepdims n height width invert
    offset loss_weights normalize antialias crop_to_aspect_ratio pad_to_aspect_ratio fill_value
    quantization_config value gain minval maxval l1 l2 weight_decay clipnorm global_clipnorm
    clipvalue use_ema ema_momentum ema_overwrite_frequency loss_scale_factor
    gradient_accumulation_steps rho initial_accumulator_value beta_1 beta_2 beta_2_decay epsilon_1
    epsilon_2 clip_threshold relative_step amsgrad learning_rate_power l1_regularization_strength
    l2_regularization_strength l2_shrinkage_regularization_strength beta centered nesterov decay
    is_legacy_optimizer initial_scale dynamic_growth_steps dynamic adam_beta_1 adam_beta_2 muon_a
    muon_b muon_c adam_lr_ratio ns_steps exclude_embeddings adam_weight_decay rms_rate
    initial_learning_rate decay_steps warmup_target warmup_steps first_decay_steps t_mul m_mul
    decay_rate staircase end_learning_rate power cycle from_logits ignore_class label_smoothing
    gamma delta apply_class_balancing k top_k class_id num_thresholds multi_label num_labels
    run_eagerly steps_per_execution auto_scale_loss
""")
    | frozenset(OBJECTS)
    | frozenset(STRINGS)
    | frozenset(LISTS)
)
