import DefaultTheme from "vitepress/theme";
import { defineAsyncComponent } from "vue";
import RunSample from "../samples/RunSample.vue";

export default {
  extends: DefaultTheme,
  enhanceApp({ app }) {
    app.component("RunSample", RunSample);
    app.component(
      "KernelPlan",
      defineAsyncComponent(() => import("../kernels/KernelPlan.vue")),
    );
  },
};
