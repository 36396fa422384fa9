import type { Split } from '../../data/split.ts';
import type { Session } from '../../engine/engine.ts';
import type { RunContext } from '../context/run-context.ts';
import type { TaskData } from '../context/task.ts';
import { measureSpeed, type Speed, type SpeedInputs } from './measure-speed.ts';

/** Times every model on the same calls. */
export async function timeModels(
  run: Pick<RunContext, 'emit' | 'options' | 'checkInterrupted'>,
  sessions: ReadonlyMap<string, Session>,
  { speedCalls }: Pick<TaskData, 'speedCalls'>,
  split: Split,
): Promise<Map<string, Speed>> {
  const inputs: SpeedInputs = { one: [...speedCalls(split, 1)], thirtyTwo: [...speedCalls(split, 32)] };
  const speeds = new Map<string, Speed>();
  for (const [name, session] of sessions) {
    run.checkInterrupted();
    run.emit({
      type: 'progress',
      stage: 'evaluate',
      task: 'timing',
      done: speeds.size,
      total: sessions.size,
      unit: 'models',
    });
    speeds.set(name, await measureSpeed(session, inputs, run.options.timingSeconds));
  }
  return speeds;
}
