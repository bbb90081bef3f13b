/** Stands for the package "webgpu" in tests that are said to need no GPU. */
throw new Error("this test opens a GPU, but neither its file nor a module that it imports names createDevice");
