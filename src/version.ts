/** Limbeck's version; a test holds it to package.json's, which a page cannot read. */
export const VERSION = '0.1.0';
