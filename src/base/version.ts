/** Of the package, as in package.json, which is not there in a bundle. */
export const VERSION = "0.1.0";
