/** A message of another process is not what it should be. It tells what was wanted, never what came. */
export class MalformedMessageError extends Error {
  override readonly name = "MalformedMessageError";
}

/** Reads a value that another process has sent. @throws {MalformedMessageError} when it is anything else */
export type Check<Value> = (value: unknown) => Value;

/** @param maximum UTF-16 units */
export function text(maximum: number): Check<string> {
  return (value) => {
    if (typeof value === "string" && value.length <= maximum) return value;
    throw new MalformedMessageError(`no text of at most ${maximum}`);
  };
}

export function integer(minimum: number, maximum: number = Number.MAX_SAFE_INTEGER): Check<number> {
  return (value) => {
    if (Number.isSafeInteger(value) && Number(value) >= minimum && Number(value) <= maximum) return Number(value);
    throw new MalformedMessageError(`no integer from ${minimum} to ${maximum}`);
  };
}

/** A number that is neither infinite nor NaN. */
export const finite: Check<number> = (value) => {
  if (Number.isFinite(value)) return Number(value);
  throw new MalformedMessageError("no number");
};

export const flag: Check<boolean> = (value) => {
  if (typeof value === "boolean") return value;
  throw new MalformedMessageError("neither true nor false");
};

export const nothing: Check<undefined> = (value) => {
  if (value === undefined || value === null) return undefined;
  throw new MalformedMessageError("something where nothing belongs");
};

export function optional<Value>(check: Check<Value>): Check<Value | undefined> {
  return (value) => (value === undefined || value === null ? undefined : check(value));
}

export function oneOf<const Value extends string | number>(...values: readonly Value[]): Check<Value> {
  return (value) => {
    const found = values.find((one) => one === value);
    if (found !== undefined) return found;
    throw new MalformedMessageError(`none of ${values.join(", ")}`);
  };
}

export function list<Item>(check: Check<Item>, maximum: number): Check<readonly Item[]> {
  return (value) => {
    if (!Array.isArray(value) || value.length > maximum) throw new MalformedMessageError("no list, or too long a one");
    return Array.from(value, check);
  };
}

/** An object with these fields. Others that it may have are left out. */
export function fields<Fields extends object>(
  checks: {
    readonly [Name in keyof Fields]: Check<Fields[Name]>;
  },
): Check<Fields> {
  const entries = Object.entries<Check<unknown>>(checks);
  return (value) => {
    if (typeof value !== "object" || value === null) throw new MalformedMessageError("no object");
    const given = value as Readonly<Record<string, unknown>>;
    const read: Record<string, unknown> = {};
    for (const [name, check] of entries) read[name] = check(Object.hasOwn(given, name) ? given[name] : undefined);
    return read as Fields;
  };
}
