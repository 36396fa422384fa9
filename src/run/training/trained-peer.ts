import type { Graph } from '../../onnx/graph.ts';
import type { BaselineResult } from '../../report/result.ts';
import type { TrainedStudent } from './trained-student.ts';

/** A linear model that the student is compared with, and what it learnt from. */
export interface TrainedPeer extends Pick<BaselineResult, 'name' | 'title' | 'taughtBy'>, TrainedStudent {}

/** What peers are for in a run. */
export interface LinearPeers {
  /** Those that the student is compared with. */
  readonly compared: readonly TrainedPeer[];
  /** The one that helps to teach the student, where the recipe wants that (`objective.kd.assistant`). */
  readonly assistant: Graph | undefined;
}
