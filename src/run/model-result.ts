import { relative } from 'node:path';
import { modelBytes } from '../export/package-folder.ts';
import { isFloat } from '../onnx/data-type.ts';
import { readModelFile } from '../onnx/node-files.ts';
import { accuracy, type Confusion, confusionCounts, macroF1 } from '../report/confusion.ts';
import type { ModelResult } from '../report/result.ts';
import type { Speed } from './measure-speed.ts';

/** What was measured on one file. `network` is the float32 file of the same network, where `file` is quantised. */
export function modelResult(options: {
  readonly runFolder: string;
  readonly file: string;
  readonly network?: string | null;
  readonly confusion: Confusion;
  readonly speed: Speed;
  readonly attributionCosine?: number;
  readonly int8Share?: number;
}): ModelResult {
  const { runFolder, file, network, confusion, speed, attributionCosine, int8Share } = options;
  const counts = confusionCounts(confusion);
  return {
    accuracy: accuracy(counts),
    macroF1: macroF1(counts),
    parameters: parameterCount(network ?? file),
    bytes: modelBytes(file),
    ...speed,
    ...(attributionCosine === undefined ? {} : { attributionCosine }),
    ...(int8Share === undefined ? {} : { int8Share }),
    file: relative(runFolder, file),
  };
}

/** Numbers in the float initializers of a model file. (A quantised file also has scales, which are no parameters.) */
function parameterCount(file: string): number {
  let count = 0;
  for (const { type, data } of readModelFile(file).initializers.values())
    if (isFloat(type)) count += data.length;
  return count;
}
