/** Classes and functions to read as inert data, by module: those that training scripts store with the weights. */
export const INERT: Readonly<Record<string, string>> = {
  argparse: "Namespace",
  builtins:
    "set frozenset list dict tuple int float bool str bytes bytearray complex slice range object unicode long xrange",
  collections: "defaultdict deque UserDict UserList",
  copyreg: "_reconstructor",
  datetime: "date datetime time timedelta timezone",
  decimal: "Decimal",
  enum: "Enum IntEnum Flag IntFlag StrEnum",
  fractions: "Fraction",
  _codecs: "encode",
  numpy:
    "dtype ndarray float16 float32 float64 int8 int16 int32 int64 uint8 uint16 uint32 uint64 bool_ bool str_ bytes_ " +
    "longlong ulonglong intc uintc datetime64 timedelta64",
  ...Object.fromEntries(
    ["numpy.core", "numpy._core"].flatMap((core) => [
      [`${core}.multiarray`, "scalar _reconstruct"],
      [`${core}.numeric`, "_frombuffer"],
    ]),
  ),
  "numpy.dtypes":
    "Float16DType Float32DType Float64DType Int8DType Int16DType Int32DType Int64DType UInt8DType UInt16DType " +
    "UInt32DType UInt64DType BoolDType StrDType BytesDType ObjectDType DateTime64DType TimeDelta64DType",
  "numpy.random._pickle": "__randomstate_ctor __generator_ctor __bit_generator_ctor",
  "numpy.random._mt19937": "MT19937",
  "numpy.random._pcg64": "PCG64",
  "numpy.random.bit_generator": "SeedSequence __pyx_unpickle_SeedSequence",
  pathlib: "Path PosixPath WindowsPath PurePath PurePosixPath PureWindowsPath",
  "pathlib._local": "Path PosixPath WindowsPath PurePath PurePosixPath PureWindowsPath",
  time: "struct_time",
  types: "SimpleNamespace",
  uuid: "UUID SafeUUID",
  zoneinfo: "ZoneInfo ZoneInfo._unpickle",
  torch:
    "Size device Tensor FloatTensor DoubleTensor HalfTensor BFloat16Tensor LongTensor IntTensor ShortTensor CharTensor " +
    "ByteTensor BoolTensor strided sparse_coo sparse_csr sparse_csc sparse_bsr sparse_bsc jagged per_tensor_affine " +
    "per_channel_affine contiguous_format channels_last channels_last_3d preserve_format Generator",
  "torch.serialization": "_get_layout",
  // The hyperparameters that Lightning stores with a state dict.
  "pytorch_lightning.utilities.parsing": "AttributeDict",
  "lightning_fabric.utilities.data": "AttributeDict",
  "lightning.fabric.utilities.data": "AttributeDict",
};

const DENSE = "make it a dense tensor before it is saved: tensor.to_dense()";
const QUANTISED = "save its values: tensor.dequantize()";
const WITHOUT_DATA = "give the net its values before it is saved: it was built without data (meta device)";
const PLAIN = "make it a plain tensor before it is saved, on the processor: tensor.cpu().clone()";

/** Functions and classes that create tensors of unsupported kinds: why, and what to do. */
export const UNREAD: Readonly<Record<string, readonly [why: string, fix: string]>> = {
  "torch._utils._rebuild_sparse_tensor": ["is sparse", DENSE],
  "torch._utils._rebuild_sparse_csr_tensor": ["is sparse", DENSE],
  "torch._utils._rebuild_nested_tensor": ["is nested", "save its parts one by one: tensor.unbind()"],
  "torch._utils._rebuild_qtensor": ["is quantised", QUANTISED],
  "torch._utils._rebuild_meta_tensor_no_storage": ["has no data", WITHOUT_DATA],
  "torch.nn.parameter.UninitializedParameter": ["has no data", "run the net once before it is saved: it is lazy"],
  "torch.nn.parameter.UninitializedBuffer": ["has no data", "run the net once before it is saved: it is lazy"],
  "torch._utils._rebuild_device_tensor_from_numpy": ["lies on another kind of device", PLAIN],
  "torch._utils._rebuild_device_tensor_from_cpu_tensor": ["lies on another kind of device", PLAIN],
  "torch._utils._rebuild_xla_tensor": ["lies on another kind of device", PLAIN],
  "torch._utils._rebuild_wrapper_subclass": ["is of a class of its own", PLAIN],
};

/** A view whose values must be negated on reading. */
export const NEGATED = ["is a negated view", "store its values: tensor.resolve_neg()"] as const;
/** A tensor of a class that is not PyTorch's own. */
export const subclass = (path: string): readonly [why: string, fix: string] => [`is of the class ${path}`, PLAIN];
