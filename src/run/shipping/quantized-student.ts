import { quantizableLayers } from '../../compress/quantizable-layers.ts';
import {
  type QuantizedWithinDrop,
  quantizeTowardsDrop,
  quantizeWithinDrop,
  type WithinDropOptions,
} from '../../compress/quantize-within-drop.ts';
import { subPixelConvolutions } from '../../compress/sub-pixel-convolutions.ts';
import { type FurtherPrecision, fileOf, PRECISIONS } from '../../export/precisions.ts';
import { type Difference, dropVerdict, exceeds } from '../../metrics/interval.ts';
import type { Graph } from '../../onnx/graph.ts';
import { writeModel } from '../../onnx/write-model.ts';
import { percent } from '../../percent.ts';
import { wantedPrecisions } from '../../recipe/export.ts';
import type { BiasCorrection, LayerPrecision } from '../../report/result.ts';
import type { RunContext } from '../context/run-context.ts';
import type { TaskData } from '../context/task.ts';
import { comparedForms, fineScore } from './compared-forms.ts';
import { layerPrecisions } from './layer-precisions.ts';
import { type Quantizer, quantizerOf } from './quantizer.ts';
import { shippedBytes } from './shipped-bytes.ts';
import { studentInt8 } from './student-int8.ts';

/**
 * The student in int8, where the recipe asks for it. Which layers are, is decided on the validation split (the test split only
 * measures). Layers that lose too much stay in float32: that costs little, so the estimate is enough for it. The run fails, with
 * their names, only when int8 then still loses more than allowed by its whole interval: that costs everything, and has to be
 * certain.
 */
export async function int8Student(
  run: RunContext,
  data: TaskData,
  float: Graph,
): Promise<Int8Student | null> {
  const { int8 } = run.recipe.export;
  if (!int8) return null;
  const model = subPixelConvolutions(float);
  const { quantize, biasCorrection } = await studentInt8(run, data, model);
  const wanted = { precision: 'int8', maxDrop: int8.maxDrop, quantize } as const;
  const { options, tell, dropOf } = await towardsDrop(run, data, model, wanted);
  const isBeyond = (graph: Graph) => dropVerdict(dropOf(graph), int8.maxDrop) === 'beyond';
  const result = tell(await quantizeWithinDrop({ ...options, isBeyond }));
  const found = biasCorrection && { biasCorrection };
  if (int8.maxBytes === undefined)
    return { ...result, fourBit: [], layers: layerPrecisions(model, result, 'int8'), ...found };
  const { maxBytes } = int8;
  return { ...(await withinBytes(run, data, model, { result, maxBytes, quantize })), ...found };
}

/** The student in int8, some layers of which may have weights of 4 bits. */
export interface Int8Student extends QuantizedWithinDrop {
  readonly fourBit: readonly string[];
  readonly layers: readonly LayerPrecision[];
  /** What was found of correcting its biases, where the recipe wants that. */
  readonly biasCorrection?: BiasCorrection;
}

/** Puts layers of an int8 student into 4 bits until its file is small enough. */
async function withinBytes(
  run: RunContext,
  data: TaskData,
  model: Graph,
  {
    result,
    maxBytes,
    quantize,
  }: { readonly result: QuantizedWithinDrop; readonly maxBytes: number; readonly quantize: Quantizer },
): Promise<Int8Student> {
  const { excluded } = result;
  // Loaded where it is used: pages do not pay for it.
  const { quantizeWithinBytes } = await import('../../compress/quantize-within-bytes.ts');
  const within = await quantizeWithinBytes({
    layers: quantizableLayers(model)
      .map(({ name }) => name)
      .filter((name) => !excluded.includes(name)),
    quantize: (fourBit) => quantize(excluded, fourBit),
    evaluate: await fineScore(run, data, model),
    sizeOf: (graph) => writeModel(graph).length,
    shippedSizeOf: await shippedBytes(run, data, model, result.graph),
    maxBytes,
    onLayer: (done, total) =>
      run.emit({
        type: 'progress',
        stage: 'export',
        task: 'measuring the layers in 4 bits',
        done,
        total,
        unit: 'layers',
      }),
  });
  if (within.fourBit.length > 0) {
    run.warn(
      `to take no more than ${maxBytes} bytes (export.int8.maxBytes) the int8 file has weights of 4 bits in ${within.fourBit.join(', ')}`,
    );
  }
  return {
    ...result,
    graph: within.graph,
    fourBit: within.fourBit,
    layers: layerPrecisions(model, { ...result, graph: within.graph }, 'int8', within),
  };
}

/** The student in a further precision. */
export interface FurtherStudent extends QuantizedWithinDrop {
  readonly precision: FurtherPrecision;
  readonly maxDrop: number;
  readonly layers: readonly LayerPrecision[];
}

/**
 * The student in the further precisions that the recipe asks for, with layers that lose too much in float32. Where that is not
 * enough, the gate on the test split decides: no run ends for a file beside the others.
 */
export async function furtherStudents(
  run: RunContext,
  data: TaskData,
  model: Graph,
): Promise<FurtherStudent[]> {
  const made: FurtherStudent[] = [];
  for (const wanted of wantedPrecisions(run.recipe.export)) {
    const { precision, maxDrop } = wanted;
    const quantize = await quantizerOf(run, data, model, precision);
    const { options, tell } = await towardsDrop(run, data, model, { precision, maxDrop, quantize });
    const { title } = PRECISIONS[precision];
    if (quantizableLayers(options.quantize([])).length === quantizableLayers(model).length) {
      run.warn(
        `no layer of the student would take fewer bytes in ${title}: no ${fileOf(precision)} is written (export.${precision})`,
      );
      continue;
    }
    const { best } = await quantizeTowardsDrop(options);
    const layers = layerPrecisions(model, best, precision);
    made.push({ ...tell(best), precision, maxDrop, layers });
  }
  return made;
}

/** How a student is quantised so that it loses no more than it may, and what the person is told of it. */
async function towardsDrop(
  run: RunContext,
  data: TaskData,
  model: Graph,
  {
    precision,
    maxDrop,
    quantize,
  }: {
    readonly precision: 'int8' | FurtherPrecision;
    readonly maxDrop: number;
    readonly quantize: Quantizer;
  },
): Promise<{
  readonly options: WithinDropOptions;
  readonly tell: (result: QuantizedWithinDrop) => QuantizedWithinDrop;
  readonly dropOf: (graph: Graph) => Difference;
}> {
  const { evaluate, dropOf } = comparedForms(run, model, data);
  const options = {
    layers: quantizableLayers(model).map(({ name }) => name),
    quantize,
    evaluate,
    reference: await evaluate(model),
    maxDrop,
  };
  const tell = (result: QuantizedWithinDrop) => {
    const samples = `${data.dataset.splits.validation.size} validation ${data.task.unit}`;
    const allowed = `${percent(maxDrop, 2)} (export.${precision}.maxDrop)`;
    const { title } = PRECISIONS[precision];
    if (result.excluded.length > 0) {
      run.warn(
        `with all layers in ${title} the student lost more than ${allowed} on the ${samples}; these stayed in float32: ${result.excluded.join(', ')}`,
      );
    }
    if (exceeds(result.drop, maxDrop)) {
      const { low, high } = dropOf(result.graph);
      run.warn(
        `the student in ${title} lost ${percent(result.drop, 2)} on the ${samples} (95 % interval: ${percent(low, 2)} to ${percent(high, 2)}); ${
          dropVerdict({ low, high }, maxDrop) === 'beyond'
            ? `more than ${allowed}`
            : `they are too few to tell whether that is more than ${allowed}`
        }`,
      );
    }
    return result;
  };
  return { options, tell, dropOf };
}
