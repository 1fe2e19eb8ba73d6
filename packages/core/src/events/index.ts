export { type EventPage, type EventRecord, listEvents, type NewEvent, recordEvent } from "./events.ts";
