import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Manifest, manifestProblems, readManifests } from "../support/manifests.js";

const folder = join(import.meta.dirname, "../../deploy/kubernetes");
const files = readdirSync(folder);
const textOf = (file: string): string => readFileSync(join(folder, file), "utf8");
const manifests = files.flatMap((file) => readManifests(textOf(file)));
const pods = manifests.filter(({ spec }) => spec?.template).map(({ kind, spec }) => ({ kind, ...spec.template }));
const named = (kind: string, name: string): Manifest => {
  const found = manifests.find((each) => each.kind === kind && each.metadata.name === name);
  if (found === undefined) throw new Error(`no ${kind} ${name}`);
  return found;
};

/** Files with a fault each, and what is to be said of it. */
const PLANTED = [
  [
    "workers.yaml",
    "terminationGracePeriodSeconds",
    "terminationGracePeriod",
    /Period"' does not exist in type 'IPodSpec/,
  ],
  ["workers.yaml", "replicas: 4", 'replicas: "4"', /'string' is not assignable to type 'number'/],
  ["queue.yaml", "serviceName: fcn-queue\n", "paused: true\n", /paused"' does not exist in type 'IStatefulSetSpec'/],
  ["predict.yaml", "containers:", "container:", /Property 'containers' is missing|container"' does not exist/],
  ["predict.yaml", "batch/v1", "batch/v9", /no API batch\/v9/],
] as const;

describe("the manifests of Kubernetes", () => {
  it("are what its API takes, which refuses those with a fault", () => {
    const planted = PLANTED.map(([file, from, to, problem]) => {
      expect(textOf(file)).toContain(from);
      return { problem, manifests: readManifests(textOf(file).replace(from, to)) };
    });
    // The compiler reads the API once for all of them.
    const found = manifestProblems([...manifests, ...planted.flatMap((each) => each.manifests)]);
    expect(found.splice(0, manifests.length).flat()).toEqual([]);
    for (const { problem, manifests: own } of planted) {
      const [first, ...others] = found.splice(0, own.length).flat();
      expect(first).toMatch(problem);
      expect(others).toEqual([]);
    }
  });

  it("are refused with a name that is there twice", () => {
    expect(() => readManifests(textOf("predict.yaml").replace("kind: Job", "kind: Job\nkind: Job"))).toThrow(/unique/);
  });

  it("run nothing as root, without a limit of memory, or by an image that may change", () => {
    expect(pods.map(({ kind }) => kind).sort()).toEqual(["Deployment", "Job", "StatefulSet"]);
    for (const { spec } of pods) {
      expect(spec).toMatchObject({ automountServiceAccountToken: false, securityContext: { runAsNonRoot: true } });
      for (const { image, resources, securityContext } of spec.containers) {
        expect(image).toMatch(/:\d+\.\d+(\.\d+)?$/);
        expect(resources.limits.memory).toMatch(/^\d+[MG]i$/);
        expect(securityContext).toMatchObject({ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true });
        expect(securityContext.capabilities.drop).toEqual(["ALL"]);
      }
    }
  });

  it("hold no secret, and name one for each password", () => {
    expect(manifests.map(({ kind }) => kind)).not.toContain("Secret");
    const variables = pods.flatMap(({ spec }) => spec.containers).flatMap(({ env }) => env);
    const secret = variables.filter(({ name }) => /PASSWORD|AUTH|KEY/.test(name));
    expect(secret.length).toBe(4);
    for (const { value, valueFrom } of secret) {
      expect(value).toBeUndefined();
      expect(valueFrom.secretKeyRef).toEqual({ name: "fcn-queue", key: "password" });
    }
  });

  it("name each other: selectors, volumes, ports, and who may reach the queue", () => {
    const queue = named("StatefulSet", "fcn-queue").spec;
    const workers = named("Deployment", "fcn-worker").spec;
    const predict = manifests.find(({ kind }) => kind === "Job")?.spec;
    for (const { selector, template } of [queue, workers])
      expect(template.metadata.labels).toMatchObject(selector.matchLabels);
    expect(queue.serviceName).toBe(named("Service", "fcn-queue").metadata.name);
    expect(named("Service", "fcn-queue").spec.selector).toEqual(queue.selector.matchLabels);
    expect(named("PodDisruptionBudget", "fcn-worker").spec.selector).toEqual(workers.selector);
    for (const { spec } of pods) {
      const kept = pods.find((pod) => pod.spec === spec)?.kind === "StatefulSet" ? queue.volumeClaimTemplates : [];
      const volumes = [
        ...spec.volumes.map(({ name }: { name: string }) => name),
        ...kept.map((each: Manifest) => each.metadata.name),
      ];
      for (const { volumeMounts } of spec.containers)
        for (const { name } of volumeMounts) expect(volumes).toContain(name);
    }
    const { podSelector, ingress } = named("NetworkPolicy", "fcn-queue").spec;
    expect(podSelector.matchLabels).toEqual(queue.selector.matchLabels);
    const { matchLabels } = ingress[0].from[0].podSelector;
    for (const { template } of [workers, predict]) expect(template.metadata.labels).toMatchObject(matchLabels);
    const clients = named("NetworkPolicy", "fcn-queue-client").spec;
    expect(clients.podSelector.matchLabels).toEqual(matchLabels);
    expect(clients.egress[0].to[0].podSelector.matchLabels).toEqual(queue.selector.matchLabels);
    for (const rule of [ingress[0], clients.egress[0]]) expect(rule.ports).toEqual([{ port: 6379 }]);
  });

  it("leave a worker longer than a chunk takes, and give each a GPU", () => {
    const { spec } = named("Deployment", "fcn-worker").spec.template;
    expect(spec.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(60);
    expect(spec.containers[0].resources.limits["nvidia.com/gpu"]).toBe(1);
  });
});
