/** The other side does not speak as agreed: nothing more of it can be understood or believed. */
export class FrameError extends Error {
  override readonly name = "FrameError";
}
