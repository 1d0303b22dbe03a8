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
    RandomZoom LSTM GRU SimpleRNN Bidirectional MultiHeadAttention
""")
RECURRENT = words("LSTM GRU SimpleRNN")
#: Functions of `keras.ops` and operators that a .keras file may apply to tensors, one at a time.
OPERATIONS = words("""
    Add Subtract Multiply Divide TrueDivide Negative Maximum Minimum Power Square Sqrt Absolute Exp
    Relu Relu6 Sigmoid Softplus Silu Tanh
""")
#: Settings that must be off: a prediction must not depend on earlier calls, and unrolled steps
#: would be layers that nothing counts.
OFF = words("stateful unroll time_major return_state")
#: Classes that run code of the file, or read what it names; other classes are just unknown.
CODE_CLASSES = words("""
    Lambda __lambda__ __typespec__ TFSMLayer TorchModuleWrapper JaxLayer FlaxLayer
    TensorFlowOpLayer ClassMethod InstanceMethod InstanceProperty
""")
#: Layers that open a file if their vocabulary is text, which is then its path or address.
LOOKUPS = words("StringLookup IntegerLookup IndexLookup TextVectorization")
#: Layers of Keras 2 that call a function of TensorFlow by its name, and names that only calculate.
OPERATORS = words("TFOpLambda SlicingOpLambda")
CALCULATIONS = words("__operators__ math nn linalg reshape concat cast squeeze transpose stack")
#: Layers to use in place of an operator or a function, by the end of its name.
IN_PLACE_OF = {
    **dict.fromkeys(words("add Add AddV2"), "layers.Add()([x, y])"),
    **dict.fromkeys(words("sub subtract Subtract"), "layers.Subtract()([x, y])"),
    **dict.fromkeys(words("mul multiply Multiply"), "layers.Multiply()([x, y])"),
    **dict.fromkeys(words("concat Concatenate"), "layers.Concatenate()([x, y])"),
    **dict.fromkeys(words("relu Relu"), "layers.ReLU()(x)"),
    **dict.fromkeys(words("softmax Softmax"), "layers.Softmax()(x)"),
    **dict.fromkeys(words("reshape Reshape"), "layers.Reshape(...)(x)"),
}
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
FLOATS = words("float16 bfloat16 float32 float64")
_DTYPES = FLOATS | words("mixed_float16 mixed_bfloat16 int32 int64 uint8")
# What a layer's weights may have, and their names: kernel_initializer, bias_constraint ...
_WEIGHT_OBJECTS = ("initializer", "regularizer", "constraint")
_WEIGHTS = words(
    "kernel recurrent bias depthwise pointwise alpha beta gamma moving_mean moving_variance"
)

FAMILIES = {
    "layer": Family(LAYERS, words("keras.layers")),
    "model": Family(
        MODELS,
        words("""
            keras keras.models keras.src.models.functional keras.src.engine.functional
            keras.engine.functional
        """),
    ),
    "operation": Family(OPERATIONS, words("keras.src.ops.numpy keras.src.ops.nn")),
    "recurrent layer": Family(RECURRENT, words("keras.layers")),
    "activation layer": Family(ACTIVATION_LAYERS, words("keras.layers")),
    "initializer": Family(_INITIALIZERS, words("keras.initializers")),
    "regularizer": Family(_REGULARIZERS, words("keras.regularizers")),
    "constraint": Family(_CONSTRAINTS, words("keras.constraints")),
    "dtype policy": Family(
        words("DTypePolicy FloatDTypePolicy Policy"),
        words("keras keras.dtype_policies keras.mixed_precision"),
    ),
    "seed": Family(words("SeedGenerator"), words("keras.random")),
}

#: Settings that may be an object, and the family of that object.
OBJECTS = {
    "activation": "activation layer",
    "recurrent_activation": "activation layer",
    "layer": "recurrent layer",
    "backward_layer": "recurrent layer",
    "activity_regularizer": "regularizer",
    "dtype": "dtype policy",
    "seed": "seed",
    **{f"{weight}_{family}": family for weight in _WEIGHTS for family in _WEIGHT_OBJECTS},
}

#: Settings that may be a string, and the allowed strings.
STRINGS = {
    "activation": ACTIVATIONS | ACTIVATION_LAYERS,  # Keras 2 takes a layer's name, too
    "recurrent_activation": ACTIVATIONS,
    "merge_mode": words("concat sum mul ave"),
    "dtype": _DTYPES,
    "data_format": words("channels_first channels_last"),
    "padding": words("valid same causal"),
    "interpolation": words("nearest bilinear bicubic lanczos3 lanczos5"),
    "fill_mode": words("constant nearest reflect wrap"),
    "mode": words(
        "horizontal vertical horizontal_and_vertical fan_in fan_out fan_avg rows columns"
    ),
    "distribution": words("normal uniform truncated_normal untruncated_normal"),
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
    **dict.fromkeys(words("attention_axes output_shape"), 3),
    **dict.fromkeys(words("padding cropping"), 4),
    **dict.fromkeys(words("factor scale sigma value_range height_factor width_factor"), 2),
    **dict.fromkeys(words("renorm_clipping seed"), 2),
    **dict.fromkeys(words("batch_shape batch_input_shape build_input_shape input_shape"), 6),
    **dict.fromkeys(words("mean variance"), 1),
}

#: All settings: each may be a number, a boolean or null.
SETTINGS = (
    words("""
    trainable autocast sparse ragged optional filters units groups use_bias depth_multiplier rate
    stddev alpha negative_slope threshold max_value min_value center epsilon momentum synchronized
    renorm renorm_momentum rms_scaling virtual_batch_size fused keepdims n height width invert
    offset normalize antialias crop_to_aspect_ratio pad_to_aspect_ratio fill_value
    quantization_config value gain minval maxval l1 l2 dropout recurrent_dropout unit_forget_bias
    return_sequences return_state go_backwards stateful unroll time_major reset_after implementation
    zero_output_for_mask num_heads key_dim value_dim use_gate sliding_window
""")
    | frozenset(OBJECTS)
    | frozenset(STRINGS)
    | frozenset(LISTS)
)
