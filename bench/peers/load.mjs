/** Lies here so that names resolve to the packages of this folder. */
export const importPeer = (name) => import(name);
