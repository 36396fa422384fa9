/** What samples are called where a person reads of them. */
export const SAMPLE_UNITS = ['texts', 'images', 'clips', 'pairs', 'samples'] as const;
export type SampleUnit = (typeof SAMPLE_UNITS)[number];
