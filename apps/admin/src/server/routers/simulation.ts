/** Faults on purpose, and one more node: what the embedded cluster lets an admin do to its processes. */
import { simulatedFault } from "@holdfast/core/fault-simulation";
import { z } from "zod";
import { adminProcedure, dangerousProcedure, router } from "./trpc.ts";

const nodeId = z.int().min(1).max(32_767);

export const simulationRouter = router({
  status: adminProcedure.query(({ ctx }) => ctx.services.simulation.status()),
  simulate: dangerousProcedure
    .input(z.strictObject({ nodeId, fault: simulatedFault }))
    .mutation(({ ctx, input }) => ctx.services.simulation.simulate(ctx.actor, input.nodeId, input.fault)),
  recover: adminProcedure
    .input(z.strictObject({ nodeId }))
    .mutation(({ ctx, input }) => ctx.services.simulation.recover(ctx.actor, input.nodeId)),
  add: adminProcedure.mutation(({ ctx }) => ctx.services.simulation.addNode(ctx.actor)),
});
