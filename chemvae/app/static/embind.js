// What RDKit's script would build from text with `new Function`, built from closures: the page then needs no unsafe-eval.
//
// Emscripten's embind calls `new Function(names, body)(...values)` for two kinds of glue: one calls a C++ function from JavaScript,
// the other a JavaScript function from C++. `names` and `body` say which parts the glue has; `values` are those parts.

(() => {
  "use strict";
  const WIRE_BYTES = 8; // of one argument in the block that C++ hands over

  /** A function that calls C++: arguments to wire types, call, free what was made for it, result back. */
  function callsCpp(names, body, values) {
    const part = Object.fromEntries(names.map((name, at) => [name, values[at]]));
    const toWire = names.filter((name) => /^toArg\d+Wire$/.test(name)).map((name) => part[name]);
    const isMethod = body.includes("var thisWired");
    const collects = body.includes("runDestructors(destructors)");
    const returns = body.includes("return ret");
    const freeThis = part.thisWired_dtor;
    const free = toWire.map((_, at) => part[`arg${at}Wired_dtor`]);

    function call(receiver, given) {
      const destructors = collects ? [] : null;
      const self = isMethod ? [part.toClassParamWire(destructors, receiver)] : [];
      const wired = toWire.map((convert, at) => convert(destructors, given[at]));
      const result = part.invoker(part.fn, ...self, ...wired);
      if (collects) part.runDestructors(destructors);
      freeThis?.(self[0]);
      free.forEach((release, at) => release?.(wired[at]));
      return returns ? part.fromRetWire(result) : undefined;
    }

    return function (...given) {
      if (!part.stackSave) return call(this, given);
      const stack = part.stackSave();
      try {
        return call(this, given);
      } finally {
        part.stackRestore(stack);
      }
    };
  }

  /** A function that C++ calls: arguments from its block, then a call, a construction, a method or the argument itself. */
  function calledByCpp(names, body, values) {
    const part = Object.fromEntries(names.map((name, at) => [name, values[at]]));
    const readers = names.filter((name) => /^argFromPtr\d+$/.test(name)).map((name) => part[name]);
    const act = part.getStringOrSymbol
      ? (handle, method, args) => part.toValue(handle)[part.getStringOrSymbol(method)](...args)
      : body.includes("new (toValue(handle))")
        ? (handle, method, args) => new (part.toValue(handle))(...args)
        : body.includes("toValue(handle)")
          ? (handle, method, args) => part.toValue(handle)(...args)
          : (handle, method, args) => args.at(-1);
    return (handle, method, destructors, block) => {
      const args = readers.map((read, at) => read(block + at * WIRE_BYTES));
      const result = act(handle, method, args);
      return part.toReturnWire ? part.emval_returnValue(part.toReturnWire, destructors, result) : undefined;
    };
  }

  globalThis.EmbindFunction = function (names, body) {
    const build = names[0] === "humanName" ? callsCpp : names[0] === "toValue" ? calledByCpp : null;
    if (!build) throw new Error("RDKit's script asks for a function that embind.js does not know");
    return (...values) => build(names, body, values);
  };
})();
