import type { Engine, Session } from '../../engine/engine.ts';
import { openModelFile } from '../../onnx/node-files.ts';
import { type MemoryBound, partedModel } from '../../teachers/parts/parted-model.ts';
import { partedSession } from '../../teachers/parts/parted-session.ts';

/** An engine that loads the file of a model as parts within a bound of memory; each call of a session loads them one by one. */
export function engineInParts(engine: Engine, bound: MemoryBound): Pick<Engine, 'load'> {
  return {
    async load(model, { title } = {}): Promise<Session> {
      if (typeof model !== 'string') throw new Error('parts are cut out of a file');
      const parted = partedModel(openModelFile(model).graph, { engine, title: title ?? model, bound });
      return parted.parts.length > 1 ? partedSession(parted) : parted.open(0);
    },
  };
}
