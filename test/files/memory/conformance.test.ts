import { MemoryFileSystem } from "../../../src/files/memory/memory-file-system.js";
import { describeFileSystem } from "../conformance.js";

describeFileSystem("MemoryFileSystem", async () => ({ fileSystem: new MemoryFileSystem() }));
