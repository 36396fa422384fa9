import { modelBytes } from '../../export/package-folder.ts';
import { accuracy, type Confusion, confusionCounts, macroF1 } from '../../metrics/confusion.ts';
import { readModelFile } from '../../onnx/node-files.ts';
import { parameterCount } from '../../onnx/parameter-count.ts';
import { relative } from '../../platform/paths.ts';
import type { ModelResult } from '../../report/result.ts';
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
    parameters: parameterCount(readModelFile(network ?? file)),
    bytes: modelBytes(file),
    ...speed,
    ...(attributionCosine === undefined ? {} : { attributionCosine }),
    ...(int8Share === undefined ? {} : { int8Share }),
    file: relative(runFolder, file),
  };
}
