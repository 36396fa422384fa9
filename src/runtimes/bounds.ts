/** What a model can be bounded by in a runtime: two percentiles of a call's time, the size of its file, and how good its answers are. */
export const BOUND_KINDS = ['p50', 'p90', 'bytes', 'metric'] as const;
export type BoundKind = (typeof BOUND_KINDS)[number];
