import { FileError } from "../../../files/errors.js";
import type { Reader } from "../../../protocol/reader.js";
import { close } from "./files.js";
import type { Operation, RequestContext, RequestKind } from "./request.js";

/** The kind of request where the session denies it. A CLOSE closes all the same: nothing else could close the handle. */
export function denied(kind: RequestKind): RequestKind {
  return {
    name: kind.name,
    read(fields, context) {
      const operation = kind === close ? readIfPossible(kind, fields, context) : undefined;
      return {
        footprint: {},
        ...operation,
        async run(id) {
          await operation?.run(id);
          throw new FileError("EACCES");
        },
      };
    },
  };
}

/** Malformed fields do not matter: the answer is the same. */
function readIfPossible(kind: RequestKind, fields: Reader, context: RequestContext): Operation | undefined {
  try {
    return kind.read(fields, context);
  } catch {
    return undefined;
  }
}
