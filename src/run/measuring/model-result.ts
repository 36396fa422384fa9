import { hasWriterFile, writerFileOf } from '../../export/is-writer.ts';
import { modelBytes } from '../../export/package-folder.ts';
import type { Evaluation } from '../../metrics/metric.ts';
import { openModelFile } from '../../onnx/node-files.ts';
import { parameterCount } from '../../onnx/parameter-count.ts';
import { relative } from '../../platform/paths.ts';
import { type BiasCorrection, finite, type LayerPrecision, type ModelResult } from '../../report/result.ts';
import type { Speed } from './measure-speed.ts';

/** What was measured on one file. `network` is the float32 file of the same network, where `file` is quantised. */
export function modelResult(options: {
  readonly runFolder: string;
  readonly file: string;
  readonly network?: string | undefined;
  readonly evaluation: Evaluation;
  /** Whether it answers with one class a sample. */
  readonly isOneClass: boolean;
  readonly speed: Speed;
  readonly attributionCosine?: number | undefined;
  readonly int8Share?: number | undefined;
  readonly layers?: readonly LayerPrecision[] | undefined;
  readonly biasCorrection?: BiasCorrection | undefined;
}): ModelResult {
  const {
    runFolder,
    file,
    network,
    evaluation,
    isOneClass,
    speed,
    attributionCosine,
    int8Share,
    layers,
    biasCorrection,
  } = options;
  const { accuracy, macroF1 } = evaluation;
  return {
    metrics: Object.fromEntries(Object.entries(evaluation).map(([name, value]) => [name, finite(value)])),
    ...(isOneClass && { accuracy, macroF1 }),
    parameters: fileParameters(network ?? file),
    bytes: modelBytes(file),
    ...speed,
    ...(attributionCosine === undefined ? {} : { attributionCosine }),
    ...(int8Share === undefined ? {} : { int8Share }),
    ...(layers && { layers: [...layers] }),
    ...(biasCorrection && { biasCorrection }),
    file: relative(runFolder, file),
  };
}

/** Those of the part that writes too, where the model has one. */
function fileParameters(file: string): number {
  const own = parameterCount(openModelFile(file).graph);
  return hasWriterFile(file) ? own + fileParameters(writerFileOf(file)) : own;
}
