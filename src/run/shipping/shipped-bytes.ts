import { exitsOf } from '../../compress/exits/kept-exits.ts';
import { withConditions } from '../../compress/exits/with-conditions.ts';
import { QUANTIZED_FILE } from '../../export/package-folder.ts';
import type { Graph } from '../../onnx/graph.ts';
import { writeModel } from '../../onnx/write-model.ts';
import type { RunContext } from '../context/run-context.ts';
import type { TaskData } from '../context/task.ts';
import { exitCosts } from '../exits/exit-answers.ts';
import { chosenExits, partsOf } from '../exits/ready-exits.ts';
import { writtenBytes } from './ship-student.ts';

/** A network in int8 in the forms in which it ships, by the names of their files. */
type Int8Files = Readonly<Record<string, Graph>>;

/**
 * How many bytes a student's int8 networks take as they ship: those of the file or, of a student with exits, the larger of the one
 * file and all of its parts together. Which heads the one file has depends on the thresholds, which are chosen for each network.
 *
 * @param model in float32
 * @param quantized the first one that is asked about
 */
export async function shippedBytes(
  run: RunContext,
  data: TaskData,
  model: Graph,
  quantized: Graph,
): Promise<(graph: Graph) => Promise<number>> {
  const filesOf = await shippedFiles(run, data, model);
  // What ships around a network (cutting texts, grey images) takes as many bytes whatever is in it.
  const files = await filesOf(quantized);
  const names = Object.keys(files);
  const { [QUANTIZED_FILE]: whole, ...models } = files;
  const float = (await filesOf(model))[QUANTIZED_FILE] as Graph;
  const addition = { models, files: [] };
  const content = { model: float, quantized: whole as Graph, heads: data.heads, addition };
  const written = writtenBytes(data, run.folder.file('student.measured'), content, names);
  const around = new Map(
    names.map((name, i) => [name, (written[i] as number) - bytesOf(files[name] as Graph)]),
  );
  return async (graph) => {
    let [one, parts] = [0, 0];
    for (const [name, own] of Object.entries(await filesOf(graph))) {
      const bytes = bytesOf(own) + (around.get(name) ?? 0);
      if (name === QUANTIZED_FILE) one = bytes;
      else parts += bytes;
    }
    return Math.max(one, parts);
  };
}

async function shippedFiles(
  run: RunContext,
  data: TaskData,
  model: Graph,
): Promise<(graph: Graph) => Promise<Int8Files>> {
  const exits = exitsOf(model);
  if (!exits) return async (graph) => ({ [QUANTIZED_FILE]: graph });
  const costs = exitCosts(model);
  return async (graph) => {
    const form = await chosenExits(run, data, graph, { exits, costs });
    const parts = exits.parts ? partsOf(exits, [{ precision: 'int8', graph, form }]).models : {};
    return { [QUANTIZED_FILE]: withConditions(graph, form.policy.thresholds), ...parts };
  };
}

function bytesOf(graph: Graph): number {
  return writeModel(graph).length;
}
