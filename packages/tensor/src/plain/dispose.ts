// Safari has no `Symbol.dispose`, by which `using` and `dispose` find each other. Compilers that translate `using` fall
// back on the symbols below, so whoever comes first, the methods of this package are found.
for (const name of ["dispose", "asyncDispose"] as const) {
  if (!(name in Symbol)) Object.defineProperty(Symbol, name, { value: Symbol.for(`Symbol.${name}`) });
}
