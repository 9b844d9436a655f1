import { StatusCode } from "../constants.js";
import { SFTPError } from "../errors.js";
import { close } from "./files.js";
import type { RequestKind } from "./request.js";

/** A kind of request in a session that denies it. CLOSE closes all the same: nobody else could close the handle. */
export function denied(kind: RequestKind): RequestKind {
  return {
    name: kind.name,
    read(fields, context) {
      if (kind !== close) throw permissionDenied();
      const operation = kind.read(fields, context);
      return {
        ...operation,
        async run(id) {
          await operation.run(id);
          throw permissionDenied();
        },
      };
    },
  };
}

function permissionDenied(): SFTPError {
  return new SFTPError(StatusCode.PERMISSION_DENIED, "Permission denied");
}
