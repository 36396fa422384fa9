import type { Graph } from '../../onnx/graph.ts';
import { writeModelFile } from '../../onnx/node-files.ts';
import { writeModel } from '../../onnx/write-model.ts';
import { mkdirSync, rmSync } from '../../platform/files.ts';
import { dirname } from '../../platform/paths.ts';
import type { Teacher } from '../../teachers/teacher.ts';
import type { RunContext } from '../context/run-context.ts';
import { type LabellingInputs, openLabeller } from './ask-teacher.ts';
import { type BoundedData, memoryBound } from './memory-bound.ts';

/** The samples that several teachers are asked about before they are one, as all of them read. */
export interface MembersData extends BoundedData {
  readonly task: BoundedData['task'] & LabellingInputs;
}

/** Lies in the run's folder while a teacher that runs in parts is asked, for parts refer to a file. */
const ASKED = 'teacher/asked.onnx';

/**
 * Opens what was made of several teachers until now, to be asked (`askAll`); the caller closes it. Within a bound of memory it runs
 * in parts, of a file that goes when it is closed.
 */
export async function openMembers(
  run: RunContext,
  model: Graph,
  data: MembersData,
  titles: readonly string[],
): Promise<Teacher> {
  const title = titles.join(' and ');
  const file = run.folder.file(ASKED);
  const bound = memoryBound(run, data, file);
  if (!bound) return openLabeller(run, data.task, writeModel(model), title);
  const remove = () => {
    for (const path of [file, `${file}_data`]) rmSync(path, { force: true });
  };
  mkdirSync(dirname(file), { recursive: true });
  try {
    writeModelFile(file, model);
    const teacher = await openLabeller(run, data.task, file, title, { bound });
    return {
      ...teacher,
      async close() {
        await teacher.close();
        remove();
      },
    };
  } catch (error) {
    remove();
    throw error;
  }
}
