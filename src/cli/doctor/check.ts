/** One finding of `limbeck doctor`. */
export interface Check {
  name: string;
  /** `missing`: something optional is not there. `problem`: runs will fail or crawl. */
  status: 'ok' | 'missing' | 'problem';
  found: string;
  /** What to do about it. */
  remedy?: string;
}
