/** Conda packages whose PyPI name is another. All that are in no table here are taken to have the same name there. */
const ON_PYPI: Readonly<Record<string, string>> = {
  pytorch: 'torch',
  'pytorch-cpu': 'torch',
  'pytorch-gpu': 'torch',
  'tensorflow-base': 'tensorflow',
  'tensorflow-cpu': 'tensorflow',
  'tensorflow-gpu': 'tensorflow',
  'tensorflow-mkl': 'tensorflow',
  'py-xgboost': 'xgboost',
  'py-xgboost-cpu': 'xgboost',
  'py-xgboost-gpu': 'xgboost',
  opencv: 'opencv-python-headless',
  'py-opencv': 'opencv-python-headless',
  'matplotlib-base': 'matplotlib',
  'numpy-base': 'numpy',
  'dask-core': 'dask',
  'msgpack-python': 'msgpack',
  'python-flatbuffers': 'flatbuffers',
  'python-graphviz': 'graphviz',
  pytables: 'tables',
  faiss: 'faiss-cpu',
  ruamel_yaml: 'ruamel.yaml',
  pysoundfile: 'soundfile',
  pyqt: 'pyqt5',
  'onnxruntime-cpu': 'onnxruntime',
};

/** What conda installs that is no Python package, or comes with the virtual environment. */
const SYSTEM = new Set([
  ...['pip', 'conda', 'mamba', 'python_abi', 'nomkl', 'blas', 'openblas', 'mkl', 'tbb', 'icu', 'intel-openmp'],
  ...['cudatoolkit', 'cudnn', 'nccl', 'pytorch-cuda', 'pytorch-mutex', 'magma', 'gcc', 'gxx', 'gfortran', 'clang'],
  ...['openmpi', 'mpi', 'mpich', 'make', 'compilers', 'c-compiler', 'cxx-compiler', 'openssl', 'ca-certificates'],
  ...['zlib', 'bzip2', 'xz', 'zstd', 'lz4-c', 'tk', 'readline', 'sqlite', 'ncurses', 'gmp', 'mpfr', 'jpeg', 'lcms2'],
  ...['freetype', 'openjpeg', 'giflib', 'lerc', 'hdf5', 'arrow-cpp', 'snappy', 'boost-cpp', 'glog', 'gflags'],
  ...['ffmpeg', 'git', 'nodejs', 'openjdk', 'r-base', 'geos', 'proj', 'curl', 'krb5', 'c-ares', 'expat', 'llvm-openmp'],
]);

/** Families of them: `_libgcc_mutex`, `libgcc-ng`, `ld_impl_linux-64`, `cuda-runtime`, `r-ggplot2`. */
const SYSTEM_FAMILIES = [
  /^_/,
  /_(linux|osx|win)-\w+$/,
  /^ld_impl/,
  /^cuda-/,
  /^r-/,
  /^xorg-/,
  /^lib(gcc|gomp|stdcxx|gfortran|quadmath|blas|cblas|lapack|openblas|ffi|png|tiff|jpeg|webp|deflate|uuid|xcb|curl|ssh2)/,
  /^lib(cu|np|nv|protobuf|edit|ev$|event|nghttp2|sqlite|zlib|iconv|xml2|llvm|cxx|hwloc|nsl|sodium|boost|arrow|utf8)/,
];

/** The name on PyPI of a conda package; undefined for what only conda has. */
export function pypiName(conda: string): string | undefined {
  const name = conda.toLowerCase();
  if (SYSTEM.has(name) || SYSTEM_FAMILIES.some((family) => family.test(name))) return undefined;
  return ON_PYPI[name] ?? name;
}
