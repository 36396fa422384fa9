/** Whether a process with this id is running on this machine, also one of another user; false for what is no id. */
export function isRunning(pid: number): boolean {
  // 0 and negative numbers would ask about whole groups of processes, our own among them.
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
