import { sizeInWords } from '../../size-in-bytes.ts';
import type { PartedModel } from './parted-model.ts';

/** How a model was cut, for people. */
export function partsInWords({ parts }: Pick<PartedModel, 'parts'>): string {
  const weights = parts.map(({ weightBytes }) => weightBytes);
  const most = Math.max(...parts.map(({ memoryBytes }) => memoryBytes));
  return `the teacher runs in ${parts.length} parts of ${sizeInWords(Math.min(...weights))} to ${sizeInWords(Math.max(...weights))} of weights, one after another over all samples; a part takes about ${sizeInWords(most)} of memory`;
}
