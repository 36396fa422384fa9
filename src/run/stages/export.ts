import { mkdirSync } from 'node:fs';
import { quantizableLayers } from '../../compress/quantizable-layers.ts';
import { quantizeWithinDrop } from '../../compress/quantize-within-drop.ts';
import { MODEL_FILE, QUANTIZED_FILE } from '../../export/package-folder.ts';
import type { Graph } from '../../onnx/graph.ts';
import { writeModelFile } from '../../onnx/node-files.ts';
import { foldBatchNorm } from '../../onnx/passes/fold-batch-norm.ts';
import { removeDeadNodes } from '../../onnx/passes/remove-dead-nodes.ts';
import { toEvaluationForm } from '../../onnx/passes/to-evaluation-form.ts';
import { calibratedInt8 } from '../int8.ts';
import { measureGraph } from '../measure-graph.ts';
import { type RunContext, runStage } from '../run-context.ts';
import type { TaskData } from '../tasks/task.ts';
import type { TrainedStudent } from './train.ts';

/** The files that a run ships, and the baseline's for comparison. */
export interface Shipped {
  readonly student: string;
  /** null when the recipe asks for none. */
  readonly studentInt8: string | null;
  readonly baseline: string | null;
  /** Layers of the int8 student that stayed in float32. */
  readonly float32Layers: readonly string[];
}

export interface ExportInputs {
  readonly data: TaskData;
  readonly student: TrainedStudent;
  readonly baseline: TrainedStudent | null;
}

/** Writes the student's folder, in float32 and int8, and the baseline's model. */
export function exportStage(run: RunContext, inputs: ExportInputs): Promise<Shipped> {
  const { recipe, folder } = run;
  const { data, student, baseline } = inputs;
  return runStage(run, 'export', 'Export the student', async () => {
    const model = shippedForm(student);
    const int8 = recipe.export.int8 ? await int8Student(run, model, data, recipe.export.int8.maxDrop) : null;
    const studentFolder = folder.file('student');
    data.writeStudent(studentFolder, { model, quantized: int8?.graph ?? null });
    if (baseline) {
      mkdirSync(folder.file('baseline'), { recursive: true });
      writeModelFile(folder.file('baseline', 'model.onnx'), shippedForm(baseline));
    }
    const value: Shipped = {
      student: folder.file('student', MODEL_FILE),
      studentInt8: int8 ? folder.file('student', QUANTIZED_FILE) : null,
      baseline: baseline ? folder.file('baseline', 'model.onnx') : null,
      float32Layers: int8?.excluded ?? [],
    };
    const kept = value.float32Layers.length > 0 ? `, ${value.float32Layers.join(' and ')} in float32` : '';
    return { value, summary: `${studentFolder}: f32${int8 ? ` and int8${kept}` : ''}` };
  });
}

/** A student as it answers: statistics frozen, and folded into the layers before them. */
export function shippedForm({ student }: Pick<TrainedStudent, 'student'>): Graph {
  return foldBatchNorm(removeDeadNodes(toEvaluationForm(student.graph)));
}

/**
 * The student in int8. Whether it is good enough is decided on the validation split (the test split only measures);
 * layers that lose too much stay in float32, and if that does not help the run fails with their names.
 */
async function int8Student(run: RunContext, model: Graph, data: TaskData, maxDrop: number) {
  const { engine, recipe, checkInterrupted } = run;
  const { validation } = data.dataset.splits;
  const quantize = await calibratedInt8({ engine, model, data, seed: recipe.seed, checkInterrupted });
  const evaluate = async (graph: Graph) => (await measureGraph(run, graph, data.inputs, validation)).accuracy;
  const result = await quantizeWithinDrop({
    layers: quantizableLayers(model).map(({ name }) => name),
    quantize,
    evaluate,
    reference: await evaluate(model),
    maxDrop,
  });
  if (result.excluded.length > 0) {
    run.warn(`int8 lost too much with all layers; these stayed in float32: ${result.excluded.join(', ')}`);
  }
  return result;
}
