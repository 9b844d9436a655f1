import { readTrustedFile } from "../../authenticators/files/trusted-file.js";
import { describeError, StartError } from "../errors.js";

/**
 * Reads a file that says who gets in, so that the server does not start with one that would let nobody in.
 *
 * @param maximumFileSize bytes
 * @throws {StartError} when it cannot be used
 */
export async function readAtStart(path: string, maximumFileSize: number): Promise<Buffer> {
  try {
    const bytes = await readTrustedFile(path, { maximumFileSize, strictModes: "on" });
    if (bytes === undefined) throw new Error("there is no such file");
    return bytes;
  } catch (error) {
    throw new StartError(`${path} cannot be used: ${describeError(error)}`, { cause: error });
  }
}
