/** Connections that a worker's own program hands over have numbers from this times the worker's number on. */
export const OWN_IDS = 2 ** 32;
