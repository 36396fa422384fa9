export type { SampleUnit } from '../../report/sample-unit.ts';
