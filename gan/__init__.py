"""Study: generative adversarial networks; how few numbers sample the manifold of digits?"""
