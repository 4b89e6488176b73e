"""Makes the network of the acts: corpus, training, export. Needs torch and onnx, which the product does not."""
