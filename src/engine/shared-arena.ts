import type { NativeOrt } from './ort-c-api.ts';

/** Sessions that take their memory from the arena of the environment. */
let users = 0;

/**
 * Makes a session one of those that take their memory from one arena, that of ONNX Runtime's environment, which is there as long as
 * one of them is. An arena keeps what its largest run took; those of sessions that take turns would each do so.
 *
 * @returns what the session calls once it is released; undefined where the environment has an arena of somebody else's
 */
export function joinSharedArena({ api, environment, cpuMemory, check }: NativeOrt): (() => void) | undefined {
  if (users === 0) {
    try {
      check(api.CreateAndRegisterAllocator(environment, cpuMemory, 0n));
    } catch {
      return undefined;
    }
  }
  users++;
  return () => {
    users--;
    if (users === 0) check(api.UnregisterAllocator(environment, cpuMemory));
  };
}
