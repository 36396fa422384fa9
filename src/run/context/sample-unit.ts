/** What samples are called where a person reads of them. */
export type SampleUnit = 'texts' | 'images';
